"""The environment of a whole stack (portal, worker, beat, sandbox), for `make run` and for tests."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import load_dotenv

from tmall_sp.embedded import postgres, redis

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


def load_env_file() -> None:
    """Put the project's .env into the environment, where it does not say otherwise already."""
    load_dotenv(PROJECT / ".env")


def default_run_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """RUN_DIR, or `var` in the project."""
    return Path(environ.get("RUN_DIR") or PROJECT / "var").resolve()


def compose(
    *,
    run_dir: Path,
    port: int,
    sandbox_port: int,
    smtp_port: int,
    env: str,
    base: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """`base` with the variables of a stack on these ports, whose files are all in `run_dir`.

    DATABASE_URL and REDIS_URL are kept where `base` has them; otherwise they name the embedded servers
    of `run_dir`, which the caller keeps running (services.running). A TAOBAO_… or ALIPAY_… of `base`
    is dropped: this stack talks to its own sandbox.
    """
    own = {name: value for name, value in base.items() if not name.startswith(("TAOBAO_", "ALIPAY_"))}
    sandbox = f"http://{HOST}:{sandbox_port}"
    own.update(
        TMALL_SP_ENV=env,
        RUN_DIR=str(run_dir),
        CLOCK_FILE=str(run_dir / "clock.json"),
        MEDIA_ROOT=str(run_dir / "files"),
        DATABASE_URL=base.get("DATABASE_URL") or postgres.dsn(run_dir),
        REDIS_URL=base.get("REDIS_URL") or redis.url(run_dir),
        SITE_URL=f"http://{HOST}:{port}",
        SANDBOX_URL=sandbox,
        SANDBOX_SMTP_PORT=str(smtp_port),
        EMAIL_URL=f"smtp://{HOST}:{smtp_port}",
        TAOBAO_APP_KEY="12345678",
        TAOBAO_APP_SECRET="sandbox-secret",  # noqa: S106 - the sandbox's own, known to all
        TAOBAO_GATEWAY_URL=f"{sandbox}/router/rest",
        TAOBAO_OAUTH_URL=sandbox,
        ALIPAY_APP_ID="2021000000000001",
        ALIPAY_SELLER_ID="2088000000000001",
        ALIPAY_GATEWAY_URL=f"{sandbox}/gateway.do",
        ALIPAY_KEY_DIR=str(run_dir / "sandbox" / "keys"),
        PYTHONUNBUFFERED="1",
    )
    own.pop("TMALL_SP_DB_ROLE", None)
    own.pop("DJANGO_SETTINGS_MODULE", None)
    return own
