"""A certificate that ends soon is told by doctor and in a figure, while there is time to renew it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import bootstrap
from application.doctor import examine_certificates
from runtime.health import _certificate_figures
from temporal_client import read_certificate_ends
from tests.packaging.deployment import certify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("days", "is_well"), [(10, False), (100, True)])
def test_the_first_of_the_certificates_that_ends_is_what_counts(tmp_path: Path, days: int, *, is_well: bool) -> None:
    certify(tmp_path, timedelta(days=days))
    settings = bootstrap.settings(
        temporal_tls_ca=tmp_path / "ca.crt",
        temporal_tls_cert=tmp_path / "server.crt",
        temporal_tls_key=tmp_path / "server.key",
    )
    examination = examine_certificates(read_certificate_ends(settings))
    assert examination.ok is is_well
    assert "VENTURE_TEMPORAL_TLS_CERT until" in examination.state
    ((_, ends),) = _certificate_figures(settings).values()
    assert abs(datetime.fromtimestamp(ends, UTC) - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=5)


def test_without_certificates_there_is_no_figure_and_nothing_to_renew() -> None:
    settings = bootstrap.settings()
    assert _certificate_figures(settings) == {}
    assert examine_certificates(read_certificate_ends(settings)).ok
