"""What all adapters that speak HTTP have in common: what a status, a lost line and a reply that is none mean."""

from __future__ import annotations

import itertools
import ssl
import tomllib
from datetime import UTC, datetime, timedelta
from importlib import import_module
from ipaddress import ip_address

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.adapters.canned import canned
from tests.architecture.test_public_names import loaded_by

from titrant.definition.connecting import metric as metric_of
from titrant.definition.connecting import runner as runner_of
from titrant.definition.file import MetricPart, RunnerPart
from titrant.errors import ConfigurationError, OutcomeUnknown, RunnerError, SubmissionRefused
from titrant.testing.runner_contract import attempt_of
from titrant_adapters.rest import RestRunner
from titrant_adapters.shape import Start
from titrant_adapters.shape.documents import at, fill, fill_path, number
from titrant_adapters.shape.http import HTTP_ERRORS, Http, HttpConfig, HttpRunner
from titrant_adapters.shape.outcomes import Errors

pytestmark = pytest.mark.anyio
SECRET = "tok-s3cret"


@pytest.fixture
def anyio_backend():
    return "asyncio"


def client(url, **fields):
    return Http(HttpConfig.read({"url": url, "timeout_s": 0.4} | fields), Errors(HTTP_ERRORS))


def test_every_error_of_the_library_has_a_meaning():
    import httpx._exceptions as own  # noqa: PLC0415

    assert HttpRunner.errors.unlisted(httpx, own) == []
    assert HttpRunner.errors.dangling() == []


def test_naming_an_adapter_does_not_load_the_library():
    assert loaded_by("import titrant_adapters.rest", ["httpx"]) == []


@pytest.mark.parametrize(
    ("status", "before", "starting", "after"),
    [
        (400, RunnerError, RunnerError, OutcomeUnknown),
        (401, ConfigurationError, RunnerError, OutcomeUnknown),
        (404, RunnerError, RunnerError, OutcomeUnknown),
        (409, SubmissionRefused, SubmissionRefused, OutcomeUnknown),
        (429, SubmissionRefused, SubmissionRefused, OutcomeUnknown),
        (307, RunnerError, RunnerError, OutcomeUnknown),
        (500, SubmissionRefused, OutcomeUnknown, OutcomeUnknown),
        (503, SubmissionRefused, OutcomeUnknown, OutcomeUnknown),
    ],
)
async def test_a_status_means_what_it_says_of_the_run(status, before, starting, after):
    async with canned({"POST /x": (status, {"error": "because"})}) as service:
        http = client(service.url)
        for start, starts, kind in (
            (Start(), False, before),
            (Start(sent=True), True, starting),
            (Start(sent=True), False, after),
        ):
            with pytest.raises(kind, match=f"answered with {status}: .*because") as caught:
                await http.ask("POST", "/x", start=start, starts=starts)
            assert type(caught.value) is kind
        await http.aclose()

    assert len(service.asked) == 3, "something was sent twice, or a redirection followed"


@pytest.mark.parametrize(
    "broken",
    [None, b"", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", b"no HTTP at all\r\n\r\n"],
    ids=["mute", "closed", "half", "garbage"],
)
@pytest.mark.parametrize(("sent", "kind"), [(True, OutcomeUnknown), (False, SubmissionRefused)])
async def test_a_reply_that_is_none_leaves_open_what_was_started(broken, sent, kind):
    async with canned({"POST /x": broken}) as service:
        http = client(service.url)
        with pytest.raises(kind):
            await http.ask("POST", "/x", start=Start(sent=sent), starts=sent)
        await http.aclose()

    assert service.lines == ["POST /x"]


async def test_what_could_not_be_sent_has_started_nothing():
    http = client("http://127.0.0.1:1")
    with pytest.raises(SubmissionRefused, match="nobody takes connections there"):
        await http.ask("POST", "/x", start=Start(sent=True), starts=True)
    with pytest.raises(OutcomeUnknown, match="ConnectError"):
        await http.ask("GET", "/x", start=Start(sent=True))
    await http.aclose()


async def test_secrets_go_out_and_are_never_told(monkeypatch):
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    async with canned({"GET /x": (403, {})}) as service:
        http = client(service.url, token="env:LAB_TOKEN", headers={"X-Key": SECRET})
        with pytest.raises(ConfigurationError, match="it wants a token or a header") as caught:
            await http.ask("GET", "/x")
        await http.aclose()

    ((_, headers, _),) = service.asked
    assert (headers["authorization"], headers["x-key"]) == (f"Bearer {SECRET}", SECRET)
    assert SECRET not in repr(caught.value) + repr(http._config)


async def test_a_proxy_for_the_web_is_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with canned({"GET /x": (200, {"a": 1})}) as service:
        http = client(service.url)
        assert (await http.ask("GET", "/x")).body == {"a": 1}
        await http.aclose()


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(ConfigurationError, match=r"url is '\.\.\.@lab': it would be shown") as caught:
        client(f"http://user:{SECRET}@lab")

    assert SECRET not in str(caught.value)


def documented(module):
    """The experiment file in the documentation of a module."""
    text = import_module(f"titrant_adapters.{module}").__doc__.partition("::\n")[2]
    lines = itertools.takewhile(lambda line: line.startswith("    ") or not line.strip(), text.splitlines())
    return tomllib.loads("\n".join(lines))


@pytest.mark.parametrize("module", ["rest", "opentrons", "madsci", "flowchem"])
def test_the_file_in_the_documentation_of_an_adapter_can_be_read(module, monkeypatch):
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    (part,) = documented(module)["runners"]

    made = runner_of(RunnerPart(use=part["use"], with_=part["with"]))

    fields = made.config.schema()["$defs"][type(made.config).__name__]["properties"]
    assert made.config.url == part["with"]["url"]
    assert made.settings.by_name
    assert {"type": "string", "format": "password"} in fields["token"]["anyOf"]


def test_the_file_in_the_documentation_of_the_metric_can_be_read():
    part = documented("rest_metric")["metrics"][0]
    made = metric_of(MetricPart(use=part["use"], name=part["name"], with_=part["with"]))

    assert (made.name, made.config.value) == ("purity", "/peaks/0/area")


def test_certificates_that_cannot_be_read_are_told():
    with pytest.raises(ConfigurationError, match="ca is '/no/such/file': it cannot be read"):
        client("https://lab", ca="/no/such/file")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A certificate that its owner has signed, as instruments have: the file, and the owner's SSL context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "instrument")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


async def test_a_service_that_signs_its_own_certificate_is_trusted_where_that_was_said(certified):
    public, context = certified
    async with canned({"GET /x": (200, 1)}, tls=context) as service:
        trusting, wary = client(service.url, ca=str(public)), client(service.url)
        assert (await trusting.ask("GET", "/x")).body == 1
        with pytest.raises(SubmissionRefused, match="CERTIFICATE_VERIFY_FAILED"):
            await wary.ask("GET", "/x")
        for http in (trusting, wary):
            await http.aclose()

    assert service.lines == ["GET /x"]


async def test_a_missing_environment_variable_is_told_before_anything_is_sent():
    with pytest.raises(ConfigurationError, match="NO_SUCH_TOKEN is not set"):
        client("http://lab", token="env:NO_SUCH_TOKEN")


# --- documents --------------------------------------------------------------------------------------------------------


def test_holes_are_filled_with_values_or_text():
    values = {"x": 1.5, "key": "a/b", "on": True}

    assert fill({"t": "{x}", "s": ["{key}-{x}", 3], "on": "{on}"}, values) == {
        "t": 1.5,
        "s": ["a/b-1.5", 3],
        "on": True,
    }
    assert fill_path("/runs/{key}/x", values) == "/runs/a%2Fb/x"


def test_pointers_lead_into_documents():
    document = {"a": [{"b/c": 1}], "": 2}

    assert [at(document, one) for one in ("/a/0/b~1c", "/", "")] == [1, 2, document]
    for astray in ("/b", "/a/7", "/a/x", "/a/0/b~1c/d"):
        with pytest.raises(LookupError, match=f"there is no {astray} in"):
            at(document, astray)


@pytest.mark.parametrize("value", [None, True, "", "hot", float("nan"), float("inf"), [], {}])
def test_what_is_no_number_was_not_measured(value):
    with pytest.raises(RunnerError, match=r"yield is .*, which is no measured number"):
        number("yield", value)


# --- mappings of other services ---------------------------------------------------------------------------------------

TWO_PHASES = {
    "settings": {"x": {"to": "T"}},
    "create": {"method": "POST", "path": "/jobs", "json": {"T": "{x}"}},
    "start": {"method": "POST", "path": "/jobs/{id}/start"},
    "status": {"path": "/jobs/{id}"},
    "result": {"path": "/jobs/{id}/data"},
    "measure": {"y": "/0"},
    "poll_s": 0.01,
    "key_header": "Idempotency-Key",
}
JOB = {
    "GET /": (200, {}),
    "POST /jobs": (201, {"id": 7}),
    "POST /jobs/7/start": (202, None),
    "GET /jobs/7": [(200, {"state": "running"}), (503, {}), (200, {"state": "done"})],
    "GET /jobs/7/data": (200, [4.0]),
}


@pytest.fixture
async def job():
    async with canned(dict(JOB)) as service:
        yield service


async def test_a_run_that_is_created_first_is_recorded_by_its_id_before_it_starts(job):
    recorded = []

    async def record(metadata):
        recorded.append((dict(metadata), job.lines[-1]))

    async with RestRunner(**TWO_PHASES, url=job.url) as runner:
        attempt = attempt_of({"x": 5.0})
        result = await runner.run(attempt, record, None)

    assert result.data == {"y": 4.0}
    assert recorded == [({"id": 7}, "POST /jobs")]
    assert job.asked[1][2] == {"T": 5.0}
    (started,) = [headers for head, headers, _ in job.asked if head == "POST /jobs/7/start"]
    assert started["idempotency-key"] == attempt.key


@pytest.mark.parametrize(
    ("state", "kind", "told"),
    [
        ("created", "NeverSeen", "run 7 is created: it was never started"),
        ("exploded", "RunnerError", "the run ended as exploded: too hot"),
    ],
)
async def test_what_became_of_it_is_read_from_its_state(job, state, kind, told):
    job.answers["GET /jobs/7"] = (200, {"state": state, "reason": "too hot"})
    async with RestRunner(**TWO_PHASES, url=job.url) as runner:
        with pytest.raises(RunnerError, match=told) as caught:
            await runner.reattach(attempt_of({"x": 5.0}, metadata={"id": 7}))

    assert type(caught.value).__name__ == kind


async def test_a_service_without_runs_answers_with_the_result():
    fields = {
        "settings": {"x": {"to": "T"}},
        "start": {"method": "POST", "path": "/measure", "json": {"T": "{x}"}},
        "measure": {"y": "/y"},
    }
    async with (
        canned({"GET /": (200, {}), "POST /measure": [(200, {"y": 2.5}), (200, b'{"y": NaN}'), None]}) as service,
        RestRunner(**fields, url=service.url, run_timeout_s=0.3) as runner,
    ):
        assert (await runner.run(attempt_of({"x": 1.0}), None, None)).data == {"y": 2.5}
        with pytest.raises(RunnerError, match="y is nan, which is no measured number"):
            await runner.run(attempt_of({"x": 1.0}), None, None)
        with pytest.raises(OutcomeUnknown, match=r"POST /measure at .* took longer than 0.3 s"):
            await runner.run(attempt_of({"x": 1.0}), None, None)
        assert not runner.can_report_status


async def test_a_start_that_was_lost_and_then_refused_may_have_begun():
    fields = TWO_PHASES | {"create": None, "honours_keys": True}
    fields["start"] = {"method": "POST", "path": "/jobs", "json": {"T": "{x}"}}
    job = JOB | {"POST /jobs": [b"", (409, {"error": "that key is at work"}), (503, {}), (201, {"id": 7})]}
    async with canned(job) as service, RestRunner(**fields, url=service.url) as runner:
        result = await runner.run(attempt_of({"x": 5.0}), None, None)

    sent = [headers["idempotency-key"] for head, headers, _ in service.asked if head == "POST /jobs"]
    assert result.data == {"y": 4.0}
    assert (len(sent), len(set(sent))) == (4, 1)


@pytest.mark.parametrize("status", [307, 404])
async def test_a_service_needs_nothing_at_its_root_but_what_it_is_asked_for_by_name(job, status):
    job.answers["GET /"] = (status, None)
    async with RestRunner(**TWO_PHASES, url=job.url):
        pass
    with pytest.raises(RunnerError, match=r"GET /version .* with 404"):
        async with RestRunner(**TWO_PHASES, url=job.url, identify={"path": "/version"}):
            pass


async def test_without_permission_there_is_no_first_trial(job):
    job.answers["GET /"] = (401, {"error": "who are you?"})
    with pytest.raises(ConfigurationError, match="who are you"):
        async with RestRunner(**TWO_PHASES, url=job.url):
            pass
