"""Settings of the environment, keys and logging: read and set up here and nowhere else."""

from __future__ import annotations

import argparse
import asyncio
import copy
import logging
import os
import re
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TextIO

import structlog
from pydantic import (
    BeforeValidator,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deciding.signature import DoorKey, KeyMalformed
from domain.kernel.acting import PersonId
from domain.kernel.explanation import explain_error
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.privacy import describe_error, describe_trace
from languages import Language, read_language
from payload_keys import KEY_BYTES, PayloadKeys, PayloadKeysInvalid, make_payload_key

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from pydantic_core import ErrorDetails
    from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

SEARCH_ATTRIBUTES: Mapping[str, str] = {"VentureStage": "KEYWORD", "VentureDueAt": "DATETIME"}
"""What Temporal may be searched by, and of which kind. Never personal data: they are kept in the clear (PR10)."""


class Environment(StrEnum):
    """Where it runs."""

    LOCAL = "local"
    """Embedded servers on this machine, for trials and tests."""
    PRODUCTION = "production"
    """Servers of the bureau's own, by URL only."""


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


_FROM_FILES = ("postgres_url", "postgres_owner_url", "temporal_api_key", "documents_key", "smtp_url")
"""Secrets that may be kept in a file that ``VENTURE_…_FILE`` names, instead of in the environment."""
_COLLECTOR = re.compile(r"https?://[^\s/@]+(/[^\s@]*)?")

SHORTEST_KEY = 64
"""Characters of a door's private key in the state folder: 32 bytes in hex."""


def default_home() -> Path:
    """The state folder of a checkout lies beside its code; of an installed package, with the user's own state."""
    here = Path(__file__).resolve().parent
    if (here / "pyproject.toml").exists():
        return here / ".venture"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "venture"


class SettingsInvalid(Failure):
    """The environment's settings cannot be used."""

    kind = FailureKind.USAGE
    remedy_zh = "逐項改正後重新啟動"
    remedy_en = "Mend each that is named, then start again"


class Settings(BaseSettings):
    """Everything that may be set, by environment variables ``VENTURE_…``."""

    model_config = SettingsConfigDict(env_prefix="VENTURE_", extra="forbid", frozen=True)

    env: Environment = Environment.LOCAL
    home: Path = Field(default_factory=default_home)
    """The folder, of mode 0700, that holds everything which embedded servers keep. An absolute path: a relative one
    would be another installation in every working directory."""
    temporal_ui: bool = False
    """Whether the embedded Temporal shows its own pages, on this machine only."""
    postgres_url: SecretStr | None = None
    """How the worker and the command line reach Postgres: as the application's role."""
    postgres_url_file: Path | None = None
    """A file that holds it, instead; so with each secret that has a ``…_file`` beside it."""
    postgres_owner_url: SecretStr | None = None
    """As the owner of the schema: for migrations only."""
    postgres_owner_url_file: Path | None = None
    temporal_address: str | None = None
    """``host:port`` of the Temporal frontend."""
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = None
    temporal_api_key_file: Path | None = None
    temporal_tls_ca: Path | None = None
    """The authority that signed the frontend's certificate, PEM."""
    temporal_tls_cert: Path | None = None
    """Our client certificate, PEM; with ``temporal_tls_key``."""
    temporal_tls_key: Path | None = None
    task_queue: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "venture"
    nexus_endpoint: Annotated[str | None, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$")] = None
    """The Nexus endpoint under which workflows of others wait for approvals; left out, the worker serves none."""
    person: PersonId | None = None
    """Who gives commands from this command line, by their number; on embedded servers, left out, whose seat it is."""
    door_key: SecretStr | None = None
    """The private key by which this door signs commands: an Ed25519 key in PEM, or its 32 bytes in hex. Doors only:
    workers and auditors know it by what the log has published (``venture key``)."""
    door_key_file: Path | None = None
    """A file that holds the same, instead."""
    payload_keys: SecretStr | None = None
    """The keys by which everything is encrypted that Temporal is given to hold: ``id:hex``, the newest first. It alone
    encrypts; all of them decrypt. The same for all doors and workers."""
    payload_keys_file: Path | None = None
    """A file that holds them, instead."""
    pool_size: Annotated[int, Field(ge=2, le=100)] = 8
    lang: Annotated[Language, BeforeValidator(lambda tag: read_language(str(tag)) or tag)] = Language.HANS
    """In which language readers are answered who do not say; a tag or a locale: ``zh`` is ``zh-Hans``."""
    log_format: LogFormat = LogFormat.CONSOLE
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    build_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    """This worker's build. Given, workflows are pinned to the build that began them and move on when they continue as
    new; left out, workers are not versioned."""
    sdk_metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port for the Temporal SDK's own Prometheus metrics; none if left out."""
    health_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port for ``/healthz``, ``/readyz`` and ``/metrics``; none if left out."""
    http_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port on which ``venture-web`` serves."""
    oidc_issuer: Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$")] | None = None
    """The provider of identities by which people and services come in over HTTP, as it calls itself."""
    oidc_device_client_id: str | None = None
    """The provider's client, without a secret, as which command lines ask for the device grant."""
    oidc_client_id: str | None = None
    """What the provider knows ``venture-web`` by."""
    oidc_client_secret: SecretStr | None = None
    oidc_audience: str = "venture"
    """For whom the provider's access tokens must be."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s?#@]+[^\s?#@/]$")] | None = None
    """Where people's browsers find ``venture-web``, e.g. ``https://venture.bureau.example``."""
    temporal_pages: Annotated[str, Field(pattern=r"^https?://[^\s?#@/]+$")] | None = None
    """The origin of Temporal's own pages, e.g. ``https://temporal.bureau.example``: there alone ``venture-web`` opens
    what they show, for those who watch; left out, it opens nothing."""
    listen_host: IPvAnyAddress = IPv4Address("127.0.0.1")
    """The address of this machine on which these ports listen. Health and metrics ask for no password: beyond the
    loopback address only inside a network of the installation's own."""
    documents: Annotated[str, Field(pattern=r"^(/|https?://[^\s/?#@]+/)[^\s?#]*$")] | None = None
    """Where documents are kept: a folder, ``/srv/venture/documents``, the same for every door; or a bucket that speaks
    S3, ``https://s3.bureau.example/documents``. Left out, the folder ``documents`` in the state folder."""
    documents_key: SecretStr | None = None
    """What the bucket knows us by: ``id:secret``."""
    documents_key_file: Path | None = None
    documents_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "us-east-1"
    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Networks of the house's own that webhooks may go to, ``10.1.2.0/24,fd00::/8``; else to public addresses only."""
    smtp_url: SecretStr | None = None
    """The server that mails go out by, ``smtps://user:password@mail.bureau.example``; none are written if left out."""
    smtp_url_file: Path | None = None
    smtp_from: Annotated[str, Field(pattern=r"^[^\s<>,;]+@[A-Za-z0-9.-]+$")] | None = None
    """Whom mails are from, e.g. ``venture@bureau.example``: somebody who reads what is answered."""
    otlp_endpoint: str | None = None
    """The collector that traces are sent to (OTLP over HTTP), e.g. ``http://collector:4318``; none are made if left
    out. What it asks of its callers goes into ``OTEL_EXPORTER_OTLP_HEADERS``, not into the address."""

    @property
    def requires_office(self) -> bool:
        """Whether nobody acts on the wall clock before the office is founded: a bare seat is for one machine alone."""
        return self.env is Environment.PRODUCTION

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Secrets that are kept in files, as an orchestrator gives them."""
        read: dict[str, Any] = {}
        for name in _FROM_FILES:
            if (path := values.get(f"{name}_file")) is None:
                continue
            if values.get(name) is not None:
                message = f"VENTURE_{name.upper()} 與其 _FILE 只可設其一 / set it or its _FILE, not both"
                raise ValueError(message)
            try:
                read[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as wrong:
                message = f"VENTURE_{name.upper()}_FILE {path}：無法讀取 / cannot be read: {wrong}"
                raise ValueError(message) from wrong
        return {**values, **read}

    @field_validator("*", mode="before")
    @classmethod
    def _is_not_empty(cls, value: object) -> object:
        if value == "":
            message = "是空的：給出值，或不設此項 / is empty: give it a value, or leave it out"
            raise ValueError(message)
        return value

    @field_validator("webhook_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @field_validator("temporal_tls_ca", "temporal_tls_cert", "temporal_tls_key")
    @classmethod
    def _can_be_read(cls, path: Path | None) -> Path | None:
        if path is not None and not os.access(path, os.R_OK):
            message = f"{path} 不存在或無法讀取 / {path} is not there or cannot be read"
            raise ValueError(message)
        return path

    @field_validator("home")
    @classmethod
    def _is_one_place(cls, home: Path) -> Path:
        if any("\udc80" <= character <= "\udcff" for character in str(home)):
            message = "路徑不是文字 / the path is no text"
            raise ValueError(message)
        if not home.is_absolute():
            message = (
                f"須為絕對路徑，如 {Path.cwd() / home}；相對路徑在每個工作目錄各是一處"
                f" / an absolute path, e.g. {Path.cwd() / home}: a relative one differs in every working directory"
            )
            raise ValueError(message)
        return home

    @field_validator("door_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            try:
                DoorKey.read(key.get_secret_value())
            except KeyMalformed:
                raise ValueError(_NO_KEY) from None
        return key

    @field_validator("payload_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            PayloadKeys.parse(keys.get_secret_value())
        return keys

    @field_validator("payload_keys_file")
    @classmethod
    def _holds_keys(cls, path: Path | None) -> Path | None:
        if path is not None:
            _read_payload_keys(path)
        return path

    @field_validator("otlp_endpoint")
    @classmethod
    def _can_be_traced(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not _COLLECTOR.fullmatch(endpoint):
            message = (
                "須為收集器網址，不含賬號密碼，如 http://collector:4318"
                " / the address of a collector, without a password, e.g. http://collector:4318"
            )
            raise ValueError(message)
        if endpoint is not None and not _is_installed("opentelemetry.exporter.otlp.proto.http"):
            message = (
                "須先安裝 OpenTelemetry：pip install '.[otel]'，或不設此項"
                " / OpenTelemetry is not installed: pip install '.[otel]', or leave this out"
            )
            raise ValueError(message)
        return endpoint

    @model_validator(mode="after")
    def _has_one_list_of_keys(self) -> Self:
        if self.payload_keys is not None and self.payload_keys_file is not None:
            message = (
                "VENTURE_PAYLOAD_KEYS 與 VENTURE_PAYLOAD_KEYS_FILE 只可設其一"
                " / set VENTURE_PAYLOAD_KEYS or VENTURE_PAYLOAD_KEYS_FILE, not both"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if self.oidc_issuer is None:
            return self
        is_safe = self.oidc_issuer.startswith("https://") or self.env is Environment.LOCAL
        if self.oidc_client_id is None or self.public_url is None or not is_safe:
            message = (
                "VENTURE_OIDC_ISSUER 須為 https，並設 VENTURE_OIDC_CLIENT_ID 與 VENTURE_PUBLIC_URL"
                " / VENTURE_OIDC_ISSUER must be https, with VENTURE_OIDC_CLIENT_ID and VENTURE_PUBLIC_URL"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        url = self.smtp_url.get_secret_value() if self.smtp_url else ""
        if self.smtp_url is not None and (not url.startswith(("smtp://", "smtps://")) or self.smtp_from is None):
            message = (
                "VENTURE_SMTP_URL 須為 smtps:// 或 smtp://，並設 VENTURE_SMTP_FROM"
                " / VENTURE_SMTP_URL must be smtps:// or smtp://, with VENTURE_SMTP_FROM"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _bucket_is_whole(self) -> Self:
        if self.documents is None or self.documents.startswith("/"):
            return self
        pair = self.documents_key.get_secret_value() if self.documents_key else ""
        is_safe = self.documents.startswith("https://") or self.env is Environment.LOCAL
        if not all(pair.partition(":")) or not is_safe:
            message = (
                "VENTURE_DOCUMENTS 為 S3 時須為 https，並設 VENTURE_DOCUMENTS_KEY（編號:密鑰）"
                " / VENTURE_DOCUMENTS that speaks S3 must be https, with VENTURE_DOCUMENTS_KEY as id:secret"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _complete_in_production(self) -> Self:
        if self.door_key is not None and self.door_key_file is not None:
            message = "VENTURE_DOOR_KEY 與 VENTURE_DOOR_KEY_FILE 只設其一 / set one of them, not both"
            raise ValueError(message)
        if self.env is Environment.LOCAL:
            return self
        needed = {
            "VENTURE_POSTGRES_URL": self.postgres_url,
            "VENTURE_TEMPORAL_ADDRESS": self.temporal_address,
            "VENTURE_PAYLOAD_KEYS": self.payload_keys or self.payload_keys_file,
        }
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            names = ", ".join(missing)
            message = (
                f"VENTURE_ENV=production 不使用內置服務，須設置 {names}"
                f" / production uses no embedded servers: set {names}"
            )
            raise ValueError(message)
        return self


def settings(**changed: Any) -> Settings:  # noqa: ANN401 - whatever a setting may be
    """The settings of the environment. Raises SettingsInvalid, naming every one that is wrong or unknown."""
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith("VENTURE_")
        and name.removeprefix("VENTURE_").lower() not in {*Settings.model_fields, *_OTHER}
    )
    if unknown:
        names = ", ".join(unknown)
        raise SettingsInvalid(f"沒有此設置：{names}", f"no such settings: {names}")
    try:
        return Settings(**changed)
    except ValidationError as wrong:
        faults = [_explain(error) for error in wrong.errors(include_url=False)]
        raise SettingsInvalid("\n".join(zh for zh, _ in faults), "\n".join(en for _, en in faults)) from wrong


def _explain(error: ErrorDetails) -> tuple[str, str]:
    """Which setting is wrong, and how; what is wrong with all of them together names them itself."""
    place = str(error["loc"][0]) if error["loc"] else ""
    is_public = place in Settings.model_fields and "Secret" not in str(Settings.model_fields[place].annotation)
    zh, en = explain_error(error if is_public else {**error, "input": "…"})
    name = f"VENTURE_{'_'.join(map(str, error['loc'])).upper()}: " if error["loc"] else ""
    return f"{name}{zh}", f"{name}{en}"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of what it lies in
        return False


_NO_KEY = (
    "須為 Ed25519 私鑰：PEM，或 64 位十六進制，如 openssl rand -hex 32"
    " / an Ed25519 private key: PEM, or 64 hex digits, e.g. openssl rand -hex 32"
)
_OTHER = {"pg_bin", "keep_servers"}
"""Variables that ``local`` reads by itself."""


def find_door_key(of: Settings) -> DoorKey | None:
    """The private key by which a door signs; None where there is none, as for a worker in production.

    For embedded servers it is the state folder's own. Raises SettingsInvalid or SecretDamaged for a file that cannot be
    read or holds no key.
    """
    if of.door_key is not None:
        return DoorKey.read(of.door_key.get_secret_value())
    if of.door_key_file is not None:
        return _read_key(of.door_key_file)
    return None if of.env is Environment.PRODUCTION else ensure_door_key(of)


def ensure_door_key(of: Settings) -> DoorKey:
    """The state folder's own key, made once, readable by its owner only. Raises SecretDamaged if it is not whole."""
    of.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = of.home / "door.key"
    load_secret(path, secrets.token_hex(32), shortest=SHORTEST_KEY)
    return _read_key(path)


def _read_key(path: Path) -> DoorKey:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as gone:
        raise SettingsInvalid(
            f"VENTURE_DOOR_KEY_FILE: {path} 讀不到：{gone.strerror}",
            f"VENTURE_DOOR_KEY_FILE: {path} cannot be read: {gone.strerror}",
        ) from None
    try:
        return DoorKey.read(text)
    except KeyMalformed:
        raise SecretDamaged(path, path.stat().st_size) from None


def load_payload_keys(of: Settings) -> PayloadKeys:
    """The keys by which Temporal's payloads are sealed; for embedded servers one is made once, in the state folder.

    Raises SettingsInvalid, or SecretDamaged for a file of ours that is not whole.
    """
    if of.payload_keys is not None:
        return PayloadKeys.parse(of.payload_keys.get_secret_value())
    path = of.payload_keys_file
    try:
        if path is not None:
            return _read_payload_keys(path)
        path = of.home / "payload.key"
        of.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        load_secret(path, make_payload_key(), shortest=2 * KEY_BYTES)
        return _read_payload_keys(path)
    except PayloadKeysInvalid as wrong:
        zh, _, en = str(wrong).partition(" / ")
        raise SettingsInvalid(zh, en) from wrong


def _read_payload_keys(path: Path) -> PayloadKeys:
    """The keys in that file. Raises PayloadKeysInvalid, which names it."""
    try:
        return PayloadKeys.parse(path.read_text(encoding="utf-8"))
    except OSError as unread:
        raise PayloadKeysInvalid(f"{path} 讀不出：{unread.strerror} / {path}: {unread.strerror}") from unread
    except UnicodeDecodeError as unread:
        raise PayloadKeysInvalid(f"{path} 不是文字 / {path} is not text") from unread
    except PayloadKeysInvalid as wrong:
        zh, _, en = str(wrong).partition(" / ")
        raise PayloadKeysInvalid(f"{path}：{zh} / {path}: {en}") from wrong


class SecretDamaged(Failure):
    """A file of ours that holds a secret is too short to be one: cut off by a full disk or by hand, or not ours."""

    kind = FailureKind.USAGE

    def __init__(self, path: Path, length: int) -> None:
        super().__init__(
            f"{path} 只有 {length} 字節，不是完整的密鑰：由備份恢復它，或 ./run reset",
            f"{path} holds {length} bytes, which is no whole key: restore it from a backup, or ./run reset",
            path=str(path),
        )


def load_secret(path: Path, fresh: str, *, shortest: int) -> str:
    """The secret in that file; the fresh one where there is no file yet. Whoever makes it first, all read the same.

    It is written elsewhere and linked when it is whole, so that no process finds a part of it. Raises SecretDamaged.
    """
    if not path.exists():
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(fresh)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first
                os.link(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    secret = path.read_text(encoding="utf-8", errors="replace")
    if len(secret.strip()) < shortest:
        raise SecretDamaged(path, path.stat().st_size)
    return secret


_SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|door_key|payload_key|api_key|authorization|signature", re.IGNORECASE
)
_SECRET_IN_URL = re.compile(r"(://[^:/@\s]*:)[^@\s/]+@")
_REDACTED = "***"


def _redact_named(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """What is called a secret is not written."""
    return {name: _REDACTED if _SECRET_NAMES.search(name) else value for name, value in line.items()}


def _without_secrets(renderer: Processor, of: Settings) -> Processor:
    """That renderer, its finished line without this process's secrets and without passwords in addresses."""
    secrets_of_ours = [value.get_secret_value() for _, value in of if isinstance(value, SecretStr)]
    if of.payload_keys is not None:  # one alone is a secret, too
        secrets_of_ours += re.findall(r"[0-9A-Fa-f]{64}", of.payload_keys.get_secret_value())

    def render(logger: WrappedLogger, method: str, line: EventDict) -> str:
        text = str(renderer(logger, method, line))
        for secret in secrets_of_ours:
            text = text.replace(secret, _REDACTED)
        return _SECRET_IN_URL.sub(rf"\1{_REDACTED}@", text)

    return render


def _describe_exception(exc_info: ExcInfo) -> str:
    """Where an exception came from, without what it held: its words may name somebody."""
    return describe_trace(exc_info[1])


class _Lines(logging.StreamHandler[TextIO]):
    """Writes what libraries log with exceptions told as ours are."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; where an exception is raised, the first line alone of what is said of it: more quotes it."""
        if isinstance(record.msg, str):  # a library's
            record = copy.copy(record)
            match record.args:
                case tuple(args):
                    record.args = tuple(map(_describe_argument, args))
                case Mapping() as args:
                    record.args = {name: _describe_argument(one) for name, one in args.items()}
                case None:
                    pass
            if record.exc_info:
                record.msg, record.args = record.getMessage().partition("\n")[0], ()
        return super().format(record)


def _describe_argument(argument: object) -> object:
    return describe_error(argument) if isinstance(argument, BaseException) else argument


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of a process are kept in its log, too."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().error("process.defect", exc_info=error)


def take_no_words(service: str, page: str) -> None:
    """Answer ``--help`` with that page, and any other word in one line and with 2: a service is set up by settings."""
    argparse.ArgumentParser(
        prog=service, description=page, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    ).parse_args()


def run_service(
    name: str,
    page: str,
    run: Callable[[Settings], Coroutine[Any, Any, None]],
    log_refusal: Callable[..., None] | None = None,
) -> None:
    """Run a service to its end with the settings of the environment; a failure is told in words and is the exit code.

    ``log_refusal`` takes a failure's texts and details, of a service that tells it in the log where the log is JSON.
    """
    take_no_words(name, page)
    of = None
    try:
        of = settings()
        configure_logging(of)
        asyncio.run(run(of))
    except Failure as failure:
        texts = {"zh": failure.zh, "remedy_zh": failure.remedy_zh, "en": failure.en, "remedy_en": failure.remedy_en}
        if log_refusal and of is not None and of.log_format is LogFormat.JSON:
            log_refusal(**texts, **failure.details)
        else:
            sys.stderr.write("".join(f"{text}\n" for text in texts.values() if text))
        sys.exit(failure.kind)


def log_cleared(zh: str, en: str) -> None:
    """Tell the log of a service what the embedded servers of this machine were found to need."""
    structlog.get_logger().info("servers.cleared", zh=zh, en=en)


def configure_logging(of: Settings) -> None:
    """Structured lines on standard error, those of libraries and of what nobody caught too, without secrets."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact_named,
        structlog.processors.ExceptionRenderer(_describe_exception),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if of.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_secrets(renderer, of)],
    )
    handler = _Lines(sys.stderr)
    handler.setFormatter(formatter)
    sys.excepthook = _log_uncaught
    logging.basicConfig(handlers=[handler], level=of.log_level.upper(), force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(of.log_level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
