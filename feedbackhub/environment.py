"""The hub's configuration: read once from the environment, typed, refused when it is nonsense.

A running hub writes the connection facts of its home to ``$FEEDBACKHUB_HOME/hub.env``, so that a
management command started beside it in another terminal talks to the same database.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

HUB_ENV = "hub.env"
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
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
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    csrf_trusted_origins: str = ""
    # Where `collectstatic` puts files; empty means the home.
    static_root: str = ""
    web_workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    web_threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    log_level: Annotated[str, msgspec.Meta(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @property
    def home(self) -> Path:
        """The folder of data, artifacts and logs, absolute."""
        return Path(self.feedbackhub_home).expanduser().resolve()


def read_environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """The typed environment; raises :class:`BadEnvironment` with a line that names the variable."""
    home = Path(variables.get("FEEDBACKHUB_HOME") or ".feedbackhub").expanduser()
    merged = {**read_env_file(home / HUB_ENV), **{k: v for k, v in variables.items() if v != ""}}
    try:
        return msgspec.convert(merged, Environment, strict=False)
    except msgspec.ValidationError as error:
        raise BadEnvironment(_explain(str(error))) from None


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
