"""Settings, all from the environment, parsed strictly: a wrong value stops the start.

TMALL_SP_ENV is `production` unless said otherwise; only `demo` and `test` may use the sandbox,
embedded servers and a moved clock.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from environs import Env
from kombu import Exchange, Queue

from tmall_sp.embedded import postgres as embedded_postgres
from tmall_sp.embedded import redis as embedded_redis

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

ENVIRONMENT = env.str("TMALL_SP_ENV", "production")
if ENVIRONMENT not in {"demo", "test", "production"}:
    raise ImproperlyConfigured(f"TMALL_SP_ENV must be demo, test or production, not {ENVIRONMENT!r}.")
PRODUCTION = ENVIRONMENT == "production"

DEBUG = env.bool("DEBUG", False)
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured("DEBUG can't be on in production.")

RUN_DIR = Path(env.str("RUN_DIR", str(BASE_DIR / "var"))).resolve()
SITE_URL = env.str("SITE_URL") if PRODUCTION else env.str("SITE_URL", "http://127.0.0.1:8000")
SECRET_KEY = (
    env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", "only-for-demo-and-test-" + "k" * 40)
)
ALLOWED_HOSTS = (
    env.list("ALLOWED_HOSTS")
    if PRODUCTION
    else env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "testserver"])
)
CLOCK_FILE: str | None = None if PRODUCTION else env.str("CLOCK_FILE", str(RUN_DIR / "clock.json"))

# Apps ---------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "tmall_sp.core",
    "tmall_sp.accounts",
    "applications",
    "deposits",
    "compliance",
    "tmall_sp.admin_site.TmallSpAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "tmall_sp.accounts.taobao",
    # Companies that nobody should mistake for real ones.
    *([] if PRODUCTION else ["tmall_sp.demo"]),
    "django_fsm",
    "pgtrigger",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_filters",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tmall_sp.access.AccessMiddleware",
]

ROOT_URLCONF = "tmall_sp.urls"
WSGI_APPLICATION = "tmall_sp.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tmall_sp.core.context.portal",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Database -----------------------------------------------------------------------------------------

# Owner commands (see manage.py) migrate and load; everything else runs with the rights of APP_ROLE,
# which may not change an append-only table.
APP_ROLE = "tmall_sp_app"
AS_OWNER = env.str("TMALL_SP_DB_ROLE", "app") == "owner"

if PRODUCTION:
    _database_url = env.str("DATABASE_URL")
else:
    _database_url = env.str("DATABASE_URL", "") or embedded_postgres.dsn(RUN_DIR)
if AS_OWNER:
    _database_url = env.str("DATABASE_OWNER_URL", "") or _database_url
os.environ["TMALL_SP_DATABASE"] = _database_url
DATABASES = {"default": env.dj_db_url("TMALL_SP_DATABASE", conn_max_age=60, conn_health_checks=True)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
_session_options = "-c timezone=Asia/Shanghai -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
if not AS_OWNER and ENVIRONMENT != "test":
    _session_options += f" -c role={APP_ROLE}"
DATABASES["default"].setdefault("OPTIONS", {})["options"] = _session_options
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Limits on log-in, codes and costly buttons count here: shared by all processes, and not lost with Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "core_cache",
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
}

# Celery -------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL") if PRODUCTION else env.str("REDIS_URL", "") or embedded_redis.url(RUN_DIR)
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The default of 100 ends worker and beat when Redis is away for an hour.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_PUBLISH_RETRY = False
# A worker takes from each queue by turns: neither money nor a sweep, which expires, waits behind all the mails.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("celery", "sweeps", "mail")]
CELERY_TASK_ROUTES = {"tmall_sp.core.tasks.send_mail": {"queue": "mail"}}
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": env.str("TMALL_SP_REDIS_PREFIX", "tmall_sp:"),
    "socket_connect_timeout": 1,
    # Without it worker and beat wait for ever on a Redis that went away without closing its connections.
    "socket_timeout": 10,
}


def _every(seconds: int, task: str) -> dict[str, Any]:
    """A sweep that nobody ran in time is dropped: the next one does its work."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds, "queue": "sweeps"}}


CELERY_BEAT_SCHEDULE = {
    "send-mail": _every(15, "tmall_sp.core.tasks.sweep_mail"),
    "shop-checks": _every(15, "applications.tasks.sweep_shop_checks"),
    "application-deadlines": _every(60, "applications.tasks.sweep_deadlines"),
    "suspensions": _every(60, "applications.tasks.sweep_suspensions"),
    # By the calendar day of our own clock, which a demo moves and beat does not know.
    "licence-reminders": _every(60, "applications.tasks.sweep_licence_reminders"),
    "expired-licences": _every(60, "applications.tasks.sweep_expired_licences"),
    "payment-orders": _every(15, "deposits.tasks.sweep_orders"),
    "payouts": _every(15, "deposits.tasks.sweep_payouts"),
    "transfers-that-arrived": _every(60, "deposits.tasks.sweep_transfers"),
    # Due at 10:30 by our own clock, which a demo moves and beat does not know.
    "reconciliation": _every(60, "deposits.tasks.sweep_reconciliation"),
    "unpaid-applications": _every(60, "deposits.tasks.sweep_unpaid"),
    "payment-reminders": _every(60, "deposits.tasks.sweep_payment_reminders"),
    "required-deposit": _every(60, "deposits.tasks.sweep_required"),
    "top-up-demands": _every(60, "deposits.tasks.sweep_demands"),
    "overdue-demands": _every(60, "deposits.tasks.sweep_overdue_demands"),
    "account-changes": _every(60, "deposits.tasks.sweep_account_changes"),
    "exits": _every(15, "compliance.tasks.sweep_exits"),
    "complaints": _every(60, "compliance.tasks.sweep_complaints"),
    "invitations": _every(60, "compliance.tasks.sweep_invitations"),
    "violations": _every(60, "compliance.tasks.sweep_violations"),
    # The day on which a quarter closes stands in the rule of the rating.
    "ratings": _every(60, "compliance.tasks.sweep_ratings"),
}

# People -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if ENVIRONMENT == "test":
    # Slow hashes would take most of the tests' time.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "console:home"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "tmall_sp.accounts.adapters.StaffAdapter"
ACCOUNT_USER_DISPLAY = str  # "logged in as …": the nick or the name, never the login of a Taobao account
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
# So many proxies of ours stand before us: the client's address is read behind them, and no further.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 1 if env.bool("BEHIND_TLS_PROXY", False) else 0)
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reauthenticate": "10/m/user"}
SOCIALACCOUNT_ADAPTER = "tmall_sp.accounts.adapters.TaobaoAdapter"
SOCIALACCOUNT_STORE_TOKENS = True
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS = {
    "taobao": {"APPS": [{"client_id": env.str("TAOBAO_APP_KEY", "12345678"), "secret": ""}]}
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "tmall_sp"
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1

SESSION_COOKIE_AGE = 8 * 3600
SESSION_SAVE_EVERY_REQUEST = False

# Language and time --------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "tmall_sp" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# Files --------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = RUN_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "tmall_sp" / "static"]
# Uploaded files are served only by a view that asks who wants them.
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(RUN_DIR / "files")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if ENVIRONMENT == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Mail ---------------------------------------------------------------------------------------------

_mail = (
    env.dj_email_url("EMAIL_URL") if PRODUCTION else env.dj_email_url("EMAIL_URL", "smtp://127.0.0.1:8011")
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "tmall_sp <no-reply@tmall-sp.example>")

# Outside systems ----------------------------------------------------------------------------------

if PRODUCTION:
    SANDBOX_URL: str | None = None
    TAOBAO_APP_KEY = env.str("TAOBAO_APP_KEY")
    TAOBAO_APP_SECRET = env.str("TAOBAO_APP_SECRET")
    TAOBAO_GATEWAY_URL = env.str("TAOBAO_GATEWAY_URL", "https://gw.api.taobao.com/router/rest")
    TAOBAO_OAUTH_URL = env.str("TAOBAO_OAUTH_URL", "https://oauth.taobao.com")
    ALIPAY_APP_ID = env.str("ALIPAY_APP_ID")
    ALIPAY_SELLER_ID = env.str("ALIPAY_SELLER_ID")
    ALIPAY_GATEWAY_URL = env.str("ALIPAY_GATEWAY_URL", "https://openapi.alipay.com/gateway.do")
    ALIPAY_KEY_DIR = Path(env.str("ALIPAY_KEY_DIR"))
else:
    SANDBOX_URL = env.str("SANDBOX_URL", "http://127.0.0.1:8010")
    TAOBAO_APP_KEY = env.str("TAOBAO_APP_KEY", "12345678")
    TAOBAO_APP_SECRET = env.str("TAOBAO_APP_SECRET", "sandbox-secret")
    TAOBAO_GATEWAY_URL = env.str("TAOBAO_GATEWAY_URL", f"{SANDBOX_URL}/router/rest")
    TAOBAO_OAUTH_URL = env.str("TAOBAO_OAUTH_URL", SANDBOX_URL)
    ALIPAY_APP_ID = env.str("ALIPAY_APP_ID", "2021000000000001")
    ALIPAY_SELLER_ID = env.str("ALIPAY_SELLER_ID", "2088000000000001")
    ALIPAY_GATEWAY_URL = env.str("ALIPAY_GATEWAY_URL", f"{SANDBOX_URL}/gateway.do")
    ALIPAY_KEY_DIR = Path(env.str("ALIPAY_KEY_DIR", str(RUN_DIR / "sandbox" / "keys")))
# The service-market article whose orders prove tenure; empty: not asked.
TAOBAO_ARTICLE_CODE = env.str("TAOBAO_ARTICLE_CODE", "" if PRODUCTION else "FW_GOODS-1000001")

# Browser security ---------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # the way back from Taobao and Alipay is a cross-site GET
CSRF_COOKIE_HTTPONLY = False
CSRF_FAILURE_VIEW = "tmall_sp.core.views.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    if env.bool("BEHIND_TLS_PROXY", False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [SITE_URL]

# Forms may send the browser on to Taobao's log-in and Alipay's cashier.
_form_targets = ["'self'", TAOBAO_OAUTH_URL.rstrip("/"), "/".join(ALIPAY_GATEWAY_URL.split("/")[:3])]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": _form_targets,
        "frame-ancestors": ["'self'"],
    },
}

# The staff's desk ---------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": _("Tmall service providers"),
    "SITE_HEADER": _("Tmall service providers"),
    "SITE_SUBHEADER": _("Staff desk"),
    "SITE_SYMBOL": "storefront",
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "THEME": "light",
    "ENVIRONMENT": "tmall_sp.admin_site.environment_label",
    # Colours stand in desk.css: a <style> in the page would need 'unsafe-inline'.
    "STYLES": [lambda request: static("desk/desk.css"), lambda request: static("desk/money.css")],
    "SIDEBAR": {"navigation": "tmall_sp.admin_site.navigation"},
}

# Logs ---------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.log_level("LOG_LEVEL", logging.INFO)},
    "loggers": {"httpx": {"level": "WARNING"}},
}
