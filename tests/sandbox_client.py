"""The sandbox as a test sees it: a process of its own, and its control interface."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tmall_sp.embedded import parts
from tmall_sp.embedded.run import run_once
from tmall_sp.embedded.supervisor import Console, Supervisor


class SandboxClient:
    """The control interface of one sandbox (tmall_sp/sandbox/control.py); a refusal fails the test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def get(self, path: str, **params: Any) -> Any:
        """GET /control/<path>; the answer's JSON."""
        return self._json(self._http.get(f"/control/{path}", params=params))

    def post(self, path: str, **content: Any) -> Any:
        """POST a JSON object to /control/<path>; the answer's JSON."""
        return self._json(self._http.post(f"/control/{path}", json=content))

    def delete(self, path: str, **params: Any) -> Any:
        """DELETE /control/<path>; the answer's JSON."""
        return self._json(self._http.delete(f"/control/{path}", params=params))

    def close(self) -> None:
        self._http.close()

    # What tests order

    def fault(
        self,
        target: str,
        kind: str,
        *,
        times: int = 1,
        skip: int = 0,
        match: dict[str, Any] | None = None,
        **params: Any,
    ) -> Any:
        """Let `times` calls (-1: all) of a method, a path or "notification" fail, after `skip` good ones."""
        return self.post(
            "faults", target=target, kind=kind, times=times, skip=skip, match=match or {}, params=params
        )

    def clear_faults(self) -> None:
        self.delete("faults")

    def seller(self, **values: Any) -> Any:
        """Create or change a Taobao seller by `taobao_user_id`; a new number where none is given."""
        return self.post("sellers", **values)

    def authorize(self, taobao_user_id: int, redirect_uri: str) -> str:
        """An OAuth code, as the authorize page would give it."""
        return str(self.post("authorize", taobao_user_id=taobao_user_id, redirect_uri=redirect_uri)["code"])

    def expire_session(self, taobao_user_id: int) -> None:
        self.post("expire-session", taobao_user_id=taobao_user_id)

    def account(self, user_id: str, **values: Any) -> Any:
        """Open or change an Alipay account: name, kind, logon_id, open_id, status, balance."""
        return self.post("alipay-accounts", user_id=user_id, **values)

    def pay(self, out_trade_no: str, buyer: str, **values: Any) -> Any:
        """Pay an order whose cashier was asked for; `amount`, `lose_notification`."""
        return self.post("pay", out_trade_no=out_trade_no, buyer=buyer, **values)

    def notify(self, **values: Any) -> Any:
        """Send a notification: `url`, `out_trade_no`, `fields`, `forge`."""
        return self.post("notify", **values)

    def change_settings(self, **values: Any) -> Any:
        """Change the options of tmall_sp/sandbox/options.py; the answer has all of them."""
        return self.post("settings", **values)

    def reset(self) -> None:
        """Empty the books, faults, mails and options, and load the demo's sellers again."""
        self.post("reset")

    # What tests read

    def books(self) -> Any:
        """The sums of the whole books, whether they balance, and how often each method was called."""
        return self.get("books")

    def trades(self, **narrowed: Any) -> list[dict[str, Any]]:
        return list(self.get("trades", **narrowed))

    def refunds(self, **narrowed: Any) -> list[dict[str, Any]]:
        return list(self.get("refunds", **narrowed))

    def transfers(self, **narrowed: Any) -> list[dict[str, Any]]:
        return list(self.get("transfers", **narrowed))

    def notifications(self, **narrowed: Any) -> list[dict[str, Any]]:
        return list(self.get("notifications", **narrowed))

    def mails(self, **narrowed: Any) -> list[dict[str, Any]]:
        """Mails in order of arrival; `to`, `subject`, `after`."""
        return list(self.get("mail", **narrowed))

    def totp(self, login: str) -> str:
        """The six digits that a login's authenticator shows now."""
        return str(self.get(f"totp/{login}")["code"])

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        asked = f"{answer.request.method} {answer.request.url}"
        assert not answer.is_error, f"{asked}: {answer.status_code} {answer.text}"
        return answer.json()


class SandboxProcess:
    """A sandbox with the keys, books and ports that an environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self._supervisor = Supervisor(self.environ, Console(None))
        self.client = SandboxClient(self.environ["SANDBOX_URL"])

    def start(self) -> None:
        """Make the keys if there are none, and wait until it answers."""
        Path(self.environ["RUN_DIR"]).mkdir(parents=True, exist_ok=True)
        run_once("The sandbox's keys", parts.sandbox_keys(), self.environ)
        self._supervisor.__enter__()
        self._supervisor.wait_until_answers(self._supervisor.start(parts.sandbox(self.environ)))

    def stop(self) -> None:
        self._supervisor.stop()
        self.client.close()
