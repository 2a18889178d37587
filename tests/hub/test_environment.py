"""Settings from the environment refuse nonsense with a line that names the variable."""

from pathlib import Path

import pytest

from feedbackhub.environment import BadEnvironment, read_environment

GOOD = {
    "DATABASE_URL": "postgresql://hub:secret@db:5432/hub",
    "REDIS_URL": "redis://:secret@cache:6379/0",
    "SECRET_KEY": "s" * 40,
    "SUBJECT_HASH_KEY": "h" * 40,
}


def good(tmp_path: Path, **changes: str) -> dict[str, str]:
    return {**GOOD, "FEEDBACKHUB_HOME": str(tmp_path), **changes}


def test_types_and_defaults_come_from_the_environment(tmp_path: Path) -> None:
    environment = read_environment(good(tmp_path, PORT="8123", HTTPS="true"))
    assert environment.port == 8123
    assert environment.https is True
    assert environment.debug is False
    assert environment.home == tmp_path


def test_trusted_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    named = good(tmp_path, TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7,fd00::/8")
    found = [str(network) for network in read_environment(named).proxies]
    assert found == ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]
    assert read_environment(good(tmp_path)).proxies == []
    with pytest.raises(BadEnvironment, match="TRUSTED_PROXIES"):
        read_environment(good(tmp_path, TRUSTED_PROXIES="10.0.0.1/8"))


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_variable_is_named(tmp_path: Path, name: str) -> None:
    variables = good(tmp_path)
    del variables[name]
    with pytest.raises(BadEnvironment, match=f"^{name} is not set"):
        read_environment(variables)


@pytest.mark.parametrize(
    ("name", "nonsense"),
    [
        ("DATABASE_URL", "sqlite:///hub.db"),
        ("REDIS_URL", "localhost"),
        ("SECRET_KEY", "short"),
        ("SUBJECT_HASH_KEY", "short"),
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DEBUG", "perhaps"),
        ("HTTPS", "sometimes"),
        ("DEMO", "maybe"),
        ("WEB_WORKERS", "0"),
        ("WEB_THREADS", "1000"),
        ("LOG_LEVEL", "LOUD"),
        ("ALLOWED_HOSTS", "https://hub.example.com"),
        ("ALLOWED_HOSTS", "hub example.com"),
        ("CSRF_TRUSTED_ORIGINS", "hub.example.com"),
    ],
)
def test_nonsense_is_refused_by_name(tmp_path: Path, name: str, nonsense: str) -> None:
    with pytest.raises(BadEnvironment) as refusal:
        read_environment(good(tmp_path, **{name: nonsense}))
    line = str(refusal.value)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line


def test_lists_of_hosts_and_origins_may_have_spaces_after_commas(tmp_path: Path) -> None:
    environment = read_environment(
        good(
            tmp_path,
            ALLOWED_HOSTS="hub.example.com, .example.org, [::1]",
            CSRF_TRUSTED_ORIGINS="https://hub.example.com, https://*.example.org:8443",
        )
    )
    assert environment.hosts == ["hub.example.com", ".example.org", "[::1]"]
    assert environment.origins == ["https://hub.example.com", "https://*.example.org:8443"]


def test_a_running_hub_of_the_home_fills_in_what_is_not_set(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in GOOD.items()]
    (tmp_path / "hub.env").write_text("\n".join([*lines, "PORT=8765"]))
    environment = read_environment({"FEEDBACKHUB_HOME": str(tmp_path), "PORT": "9000"})
    assert environment.database_url == GOOD["DATABASE_URL"]
    assert environment.port == 9000


def test_every_variable_is_explained_in_the_example_file() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    fields = {name.upper() for name in type(read_environment(GOOD)).__struct_fields__}
    explained = {line.lstrip("# ").split("=")[0] for line in example.splitlines() if "=" in line}
    assert fields <= explained
