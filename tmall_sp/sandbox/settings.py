"""Settings of the sandbox process alone; the portal has its own."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parents[2]

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

ENVIRONMENT = env.str("TMALL_SP_ENV", "production")
if ENVIRONMENT not in ("demo", "test"):
    raise ImproperlyConfigured(f"The sandbox runs with TMALL_SP_ENV demo or test only, not {ENVIRONMENT!r}.")


def _books_folder(run_dir: Path) -> Path:
    folder = run_dir / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _secret_key(path: Path) -> str:
    if not path.exists():
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
        path.chmod(0o600)
    return path.read_text(encoding="ascii")


RUN_DIR = Path(env.str("RUN_DIR", str(BASE_DIR / "var"))).resolve()
BOOKS_DIR = _books_folder(RUN_DIR)
CLOCK_FILE = Path(env.str("CLOCK_FILE", str(RUN_DIR / "clock.json")))

SANDBOX_URL = env.str("SANDBOX_URL", "http://127.0.0.1:8010").rstrip("/")
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
LISTEN_HOST = urlsplit(SANDBOX_URL).hostname or "127.0.0.1"
LISTEN_PORT = urlsplit(SANDBOX_URL).port or 8010
SMTP_PORT = env.int("SANDBOX_SMTP_PORT", LISTEN_PORT + 1)
TOTP_SECRETS: dict[str, str] = dict(env.json("SANDBOX_TOTP_SECRETS", {}))

TAOBAO_APP_KEY = env.str("TAOBAO_APP_KEY", "12345678")
TAOBAO_APP_SECRET = env.str("TAOBAO_APP_SECRET", "sandbox-secret")
ALIPAY_APP_ID = env.str("ALIPAY_APP_ID", "2021000000000001")
ALIPAY_SELLER_ID = env.str("ALIPAY_SELLER_ID", "2088000000000001")
ALIPAY_KEY_DIR = Path(env.str("ALIPAY_KEY_DIR", str(BOOKS_DIR / "keys")))
ALIPAY_PRIVATE_KEY = BOOKS_DIR / "alipay_private_key.pem"

SECRET_KEY = _secret_key(BOOKS_DIR / "secret_key")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", LISTEN_HOST]
ROOT_URLCONF = "tmall_sp.sandbox.urls"
WSGI_APPLICATION = "tmall_sp.sandbox.wsgi.application"
INSTALLED_APPS = ["django.contrib.staticfiles", "tmall_sp.sandbox"]
MIDDLEWARE = [
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "tmall_sp.sandbox.middleware.PathFaultMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["tmall_sp.sandbox.pages.frame"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BOOKS_DIR / "books.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # One writer at a time from the first statement on: what a transaction has read stays true.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }
}
LANGUAGE_CODE = "zh-hans"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
APPEND_SLASH = False
# A cookie knows no port: the portal on the same host has its own name.
CSRF_COOKIE_NAME = "sandbox_csrftoken"
DATA_UPLOAD_MAX_MEMORY_SIZE = None
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "tmall_sp.sandbox": {"handlers": ["console"], "level": "INFO"},
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
