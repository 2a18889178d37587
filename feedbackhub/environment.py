"""The hub's configuration: read once from the environment, typed, refused when it is nonsense.

A running hub writes the connection facts of its home to ``$FEEDBACKHUB_HOME/hub.env``, so that a
management command started beside it in another terminal talks to the same database.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

import msgspec

HUB_ENV = "hub.env"
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
HOST = r"(\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9a-fA-F:.]+\])"
TOPIC = r"^[A-Za-z0-9._-]{0,249}$"
ORIGIN = r"https?://(\*\.)?[\w.-]+(:\d+)?"
Secret = Annotated[str, msgspec.Meta(min_length=32)]


class BadEnvironment(SystemExit):
    """A variable is missing or makes no sense; the message names it and ends the process."""


class Environment(msgspec.Struct, frozen=True, rename="upper", kw_only=True):
    """Every variable the hub reads; names are those of the fields in upper case."""

    database_url: Annotated[str, msgspec.Meta(pattern=r"^postgres(ql)?://")]
    redis_url: Annotated[str, msgspec.Meta(pattern=r"^(rediss?|unix)://")]
    secret_key: Secret
    # Keys the subject hashes. Changing it makes every stored subject unrecognisable.
    subject_hash_key: Secret
    feedbackhub_home: Annotated[str, msgspec.Meta(min_length=1)] = ".feedbackhub"
    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8000
    debug: bool = False
    # Whether an empty home is filled with the demo project on its first start.
    demo: bool = True
    https: bool = False
    # Host names, separated by commas; a leading dot covers what is below.
    allowed_hosts: Annotated[str, msgspec.Meta(pattern=rf"^{HOST}( *, *{HOST})*$")] = (
        "localhost,127.0.0.1,[::1]"
    )
    # Origins with their scheme, separated by commas.
    csrf_trusted_origins: Annotated[
        str, msgspec.Meta(pattern=rf"^({ORIGIN}( *, *{ORIGIN})*)?$")
    ] = ""
    # Where `collectstatic` puts files; empty means the home.
    static_root: str = ""
    web_workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    web_threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    # Requests a second of one source, averaged over ten; beyond it answers 429.
    throttle_per_second: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    # Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.
    trusted_proxies: str = ""
    # Where `consume_feedback` finds Kafka: host:port, separated by commas; empty without Kafka.
    kafka_bootstrap_servers: Annotated[
        str, msgspec.Meta(pattern=r"^([^\s,]+:\d+(,[^\s,]+:\d+)*)?$")
    ] = ""
    kafka_topic: Annotated[str, msgspec.Meta(min_length=1, pattern=TOPIC)] = "feedback"
    # Empty means feedbackhub.<project>.<topic>.
    kafka_group: str = ""
    # Empty means <topic>.dead-letter.
    kafka_dead_letter_topic: Annotated[str, msgspec.Meta(pattern=TOPIC)] = ""
    # A file of librdkafka's properties: security, credentials, time-outs.
    kafka_client_properties: str = ""
    log_level: Annotated[str, msgspec.Meta(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @property
    def home(self) -> Path:
        """The folder of data, artifacts and logs, absolute."""
        return Path(self.feedbackhub_home).expanduser().resolve()

    @property
    def hosts(self) -> list[str]:
        """The host names the hub answers to."""
        return [host.strip() for host in self.allowed_hosts.split(",")]

    @property
    def origins(self) -> list[str]:
        """The origins whose forms the hub accepts."""
        return [origin.strip() for origin in self.csrf_trusted_origins.split(",") if origin]

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks whose word on a client's address is taken; raises ``ValueError``."""
        return [ip_network(name.strip()) for name in self.trusted_proxies.split(",") if name]


def read_environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """The typed environment; raises :class:`BadEnvironment` with a line that names the variable."""
    home = Path(variables.get("FEEDBACKHUB_HOME") or ".feedbackhub").expanduser()
    merged = {**read_env_file(home / HUB_ENV), **{k: v for k, v in variables.items() if v != ""}}
    try:
        environment = msgspec.convert(merged, Environment, strict=False)
    except msgspec.ValidationError as error:
        raise BadEnvironment(_explain(str(error))) from None
    try:
        _ = environment.proxies
    except ValueError as error:
        raise BadEnvironment(f"TRUSTED_PROXIES: {error}. See .env.example.") from None
    return environment


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines of a file; empty when the file is not there."""
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _explain(error: str) -> str:
    missing = re.search(r"missing required field `(\w+)`", error)
    if missing:
        return (
            f"{missing[1]} is not set. Start the hub with `make run`, which sets it for its home, "
            "or set it yourself; .env.example lists every variable."
        )
    name = re.search(r"`\$\.(\w+)`", error)
    what = error.split(" - at", maxsplit=1)[0]
    return f"{name[1] if name else 'The environment'}: {what}. See .env.example."
