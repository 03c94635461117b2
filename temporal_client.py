"""The connection to Temporal: its one data converter, which seals all, its one runtime, and TLS by the settings.

Apart from ``bootstrap``, so that who only reads the log need not load Temporal's client.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cryptography import x509
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import GrpcCompression, TLSConfig

import bootstrap
import tracing
from domain.kernel.failure import Failure, FailureKind
from payload_codec import sealing_converter

if TYPE_CHECKING:
    from datetime import datetime

    from bootstrap import Settings

_runtime: list[Runtime] = []


class PortTaken(Failure):
    """A port that this process is to listen on cannot be had."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self, setting: str, port: int | None, why: Exception) -> None:
        super().__init__(
            f"端口 {port} 無法使用：{why}", f"the port {port} cannot be used: {why}", setting=setting, port=port
        )
        self.remedy_zh = f"另一進程已佔用：結束它，或改設 {setting}（與 VENTURE_LISTEN_HOST）"
        self.remedy_en = f"Another process has it: end that, or set {setting} (and VENTURE_LISTEN_HOST) otherwise"


def _forwarding_runtime(of: Settings) -> Runtime:
    """One for the process. Core's logs go through Python: left to itself it writes to standard output and stalls."""
    if not _runtime:
        logger = logging.getLogger("temporal.core")
        logging_config = LoggingConfig(
            filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
            forwarding=LogForwardingConfig(logger=logger),
        )
        metrics = (
            PrometheusConfig(bind_address=f"{of.listen_host}:{of.sdk_metrics_port}", durations_as_seconds=True)
            if of.sdk_metrics_port is not None
            else None
        )
        try:
            _runtime.append(Runtime(telemetry=TelemetryConfig(logging=logging_config, metrics=metrics)))
        except ValueError as taken:
            raise PortTaken("VENTURE_SDK_METRICS_PORT", of.sdk_metrics_port, taken) from taken
    return _runtime[0]


async def connect_temporal(address: str, of: Settings, *, anonymously: bool = False, lazily: bool = False) -> Client:
    """A client with the one data converter, over TLS as the settings say; ``anonymously`` it shows no credentials.

    ``lazily`` it connects when it is first used. Raises RuntimeError or RPCError if the server does not answer, and
    SettingsInvalid or SecretDamaged if there are no keys to seal by.
    """
    key = of.temporal_api_key if not anonymously else None
    loopback = address.startswith("127.0.0.1:")
    return await Client.connect(
        address,
        namespace=of.temporal_namespace,
        data_converter=sealing_converter(bootstrap.load_payload_keys(of)),
        lazy=lazily,
        runtime=_forwarding_runtime(of),
        tls=_tls(of, anonymously=anonymously),
        api_key=key.get_secret_value() if key else None,
        grpc_compression=GrpcCompression.NONE if loopback else GrpcCompression.GZIP,
        plugins=[tracing.begin(of.otlp_endpoint)] if of.otlp_endpoint else [],
    )


def _tls(of: Settings, *, anonymously: bool) -> TLSConfig | bool | None:
    """Mutual TLS where a certificate is named, plain TLS where only the authority or a key is, else none."""
    if of.temporal_tls_ca is None and of.temporal_tls_cert is None:
        return True if of.temporal_api_key else None
    ours = None if anonymously else of
    return TLSConfig(
        server_root_ca_cert=of.temporal_tls_ca.read_bytes() if of.temporal_tls_ca else None,
        client_cert=ours.temporal_tls_cert.read_bytes() if ours and ours.temporal_tls_cert else None,
        client_private_key=ours.temporal_tls_key.read_bytes() if ours and ours.temporal_tls_key else None,
    )


def read_certificate_ends(of: Settings) -> list[tuple[str, datetime]]:
    """The certificates that this process shows or trusts on its way to Temporal, each with when it ends."""
    files = {"VENTURE_TEMPORAL_TLS_CA": of.temporal_tls_ca, "VENTURE_TEMPORAL_TLS_CERT": of.temporal_tls_cert}
    return [
        (name, certificate.not_valid_after_utc)
        for name, path in files.items()
        if path is not None
        for certificate in x509.load_pem_x509_certificates(path.read_bytes())
    ]


async def breathe() -> None:
    """Let the event loop turn before a short-lived client exits; without it the process may abort (sdk-python#300)."""
    await asyncio.sleep(0.1)
