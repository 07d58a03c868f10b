"""Flask-Security, set up for Linli: password sign-in and authenticator codes.

Only three of its pages are offered (sign-in, code, sign-out); accounts are made by operations, sessions are
kept by :mod:`portal.accounts.signed_in`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_security import Security
from flask_security.views import login, logout, two_factor_token_validation

from portal.accounts import signed_in
from portal.accounts.datastore import AccountDatastore
from portal.accounts.factors import ISSUER, OnceOnlyTotp
from portal.accounts.forms import CodeForm, RescueForm, SignInForm
from portal.accounts.identity import sign_in_hash
from portal.config import Config
from portal.core.actors import current_actor
from portal.core.limits import CODE_ACCOUNT, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, limited

SECRET_FILE: Final = "secret.key"  # noqa: S105 - a file name


def secret_key(config: Config) -> str:
    """The key that signs sessions: configured, or made at first start and kept in the data folder (0600)."""
    if config.secret_key:
        return config.secret_key
    path: Path = config.path(SECRET_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_hex(32)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(fresh)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:
        fresh = path.read_text(encoding="ascii").strip()
    finally:
        temporary.unlink(missing_ok=True)
    if not fresh:
        raise ValueError(f"{path} is empty; delete it to have a new one made")
    return fresh


class Accounts(Security):  # type: ignore[misc]  # flask_security is not followed
    """Flask-Security without the parts that are not used."""

    def _check_modules(self, module: str, config_name: str) -> bool:
        """The QR of a new authenticator is drawn elsewhere: ``qrcode`` is not needed."""
        return module == "qrcode" or bool(super()._check_modules(module, config_name))


blueprint = Blueprint("security", __name__, template_folder="templates")


def _account_typed() -> str:
    return f"account:{sign_in_hash(request.form.get('identity', '')[:64])}"


def _account_half_way() -> str:
    return f"code:{session.get('tf_user_id', '')}"


def _answer(answer: Any) -> Response:
    """Flask-Security's answer; a form shown again after a POST was refused: 422."""
    response = make_response(answer)
    if request.method == "POST" and response.status_code == 200:
        response.status_code = 422
    return response


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="login")
@limited(SIGN_IN_ADDRESS)
@limited(SIGN_IN_ACCOUNT, key=_account_typed, only_failed=True)
def sign_in() -> Response:
    """Name and password."""
    return _answer(login())


@blueprint.route("/sign-in/code", methods=["GET", "POST"], endpoint="two_factor_token_validation")
@limited(SIGN_IN_ADDRESS)
@limited(CODE_ACCOUNT, key=_account_half_way, only_failed=True)
def code() -> Response:
    """The second factor. Whoever is signed in already has no need of it, and stays signed in."""
    if current_actor().user_id is not None:
        return make_response(redirect(url_for("start.index")))
    return _answer(two_factor_token_validation())


@blueprint.post("/sign-out", endpoint="logout")
def sign_out() -> Response:
    """The end of the session, and of everything that the browser keeps besides cookies.

    The script of the page has wiped the kept code before; the header is for browsers without it, and takes the
    service worker along (Clear Site Data, W3C).
    """
    signed_in.signed_out()
    answer = _answer(logout())
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@blueprint.get("/sign-in/help")
def two_factor_rescue() -> str:
    """What to do without the phone that shows the codes."""
    return render_template("accounts/code_help.html")


def settings(config: Config) -> dict[str, Any]:
    """Flask configuration of sign-in and sessions."""
    key = secret_key(config)
    return {
        "SECRET_KEY": key,
        "SESSION_COOKIE_NAME": "linli",
        "SESSION_COOKIE_SECURE": config.effective_public_url.startswith("https://"),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=config.resident_session_days),
        "SESSION_REFRESH_EACH_REQUEST": False,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        "SECURITY_PASSWORD_LENGTH_MIN": 1,
        "SECURITY_DEPRECATED_PASSWORD_SCHEMES": [],
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_LOGIN_USER_TEMPLATE": "accounts/sign_in.html",
        "SECURITY_TWO_FACTOR_VERIFY_CODE_TEMPLATE": "accounts/code.html",
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/",
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_REQUIRED": False,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TOTP_SECRETS": {"1": hashlib.sha256(f"totp:{key}".encode()).hexdigest()},
        "SECURITY_TOTP_ISSUER": ISSUER,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_CLI_USERS_NAME": False,
        "SECURITY_CLI_ROLES_NAME": False,
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [],
    }


def install(app: Flask, config: Config) -> None:
    """Set up sign-in; CSRF protection must be installed before."""
    app.config.update(settings(config))
    services = app.extensions["linli"]
    secrets_by_id = app.config["SECURITY_TOTP_SECRETS"]
    security = Accounts(
        app,
        AccountDatastore(services.db),
        register_blueprint=False,
        totp_cls=lambda _secrets, _issuer: OnceOnlyTotp(secrets_by_id, ISSUER, services.db),
        login_form=SignInForm,
        two_factor_verify_code_form=CodeForm,
        two_factor_rescue_form=RescueForm,
    )
    security.want_json(lambda _request: False)
    security.unauthn_handler(_ask_to_sign_in)
    app.login_manager.unauthorized_handler(_ask_to_sign_in)  # type: ignore[attr-defined]
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
    app.register_blueprint(blueprint)
    signed_in.install(app)


def _ask_to_sign_in(*_args: Any, **_kwargs: Any) -> Any:
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return signed_in.lead_to(url_for("security.login", next=back))
