"""One trace a command, from the door through Temporal to the append, where ``VENTURE_OTLP_ENDPOINT`` names a collector.

Left out, nothing of OpenTelemetry is loaded. A span says which command was asked of which kind of stream and what it
came to; never an actor, a number or a text (PR10). Workflows get no spans of their own: nothing is there to replay.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.trace import Tracer
    from temporalio.contrib.opentelemetry import OpenTelemetryPlugin

SERVICE = "venture"
LONGEST_EXPORT_S = 2.0
"""A collector that is away keeps nobody longer, not even a command that ends."""

_tracer: list[Tracer] = []
"""The one of this process; empty while nothing is traced."""


def begin(endpoint: str) -> OpenTelemetryPlugin:
    """Send what is traced to that collector (OTLP over HTTP); what Temporal's client must have to carry it along."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider

    if not _tracer:
        provider = create_tracer_provider(resource=Resource.create({"service.name": SERVICE}))
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=LONGEST_EXPORT_S)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        _tracer.append(provider.get_tracer(SERVICE))
    return OpenTelemetryPlugin()


@contextmanager
def span(name: str, attributes: Mapping[str, str], *, anew: bool = False) -> Iterator[None]:
    """What is done in the block, as part of the trace that it belongs to, or ``anew``.

    The attributes are read when the block ends. Of an error only the class is kept: its words may name somebody.
    """
    if not _tracer:
        yield
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import StatusCode

    with _tracer[0].start_as_current_span(
        name, context=Context() if anew else None, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as failed:
            current.set_status(StatusCode.ERROR, type(failed).__name__)
            raise
        finally:
            current.set_attributes({f"venture.{key}": value for key, value in attributes.items()})
