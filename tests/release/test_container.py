"""The container file and compose.yaml: what can be shown of them where no container can be built."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.house import PATIENCE
from tests.release.conftest import SYSTEM, tracked
from tests.release.job import ROOT, SLOW, Somebody, give, main_job, somebody
from threadcast.config.settings import load

FILE = ROOT / "release/Containerfile"
COMPOSE = ROOT / "release/compose.yaml"
PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+[\w.-]*(@sha256:[0-9a-f]{64})?")
PORT = "8480"


@dataclass
class Stage:
    """One FROM with what follows: its instructions in order, and what is in force at its end."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        return [text for name, text in self.steps if name == instruction][-1]


def stages() -> list[Stage]:
    """The stages of the container file."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for line in filter(None, joined.splitlines()):
        name, text = line.split(" ", 1)
        if name == "FROM":
            found.append(Stage(re.sub(r"\$\{(\w+)\}", lambda one: arguments[one[1]], text)))
        elif name == "ARG" and not found:
            argument, _, value = text.partition("=")
            arguments[argument] = value
        else:
            found[-1].steps.append((name, text))
    return found


def test_nothing_is_unpinned() -> None:
    """Every image has a whole version, every package a hash, and nothing is fetched in another way."""
    build, final = stages()
    images = [build.base.removesuffix(" AS build"), final.base]
    images += [one["image"] for one in compose()["services"].values() if "build" not in one]
    assert [image for image in images if not PINNED.fullmatch(image)] == []
    installs = [
        line
        for stage in (build, final)
        for name, line in stage.steps
        if name == "RUN" and "install -" in line
    ]
    assert all("--require-hashes" in line or "--no-index" in line for line in installs if "pip" in line)
    assert not re.search(r"\b(apt|apt-get|curl|wget|apk)\b|://(?!127)", FILE.read_text())


def test_what_runs_is_nobody_important() -> None:
    """The last stage runs as a user that is not root, keeps its data in a volume, and says how it is."""
    _, final = stages()
    assert final.last("USER").split(":")[0].isdecimal()
    assert int(final.last("USER").split(":")[0]) > 0
    assert final.last("VOLUME") == final.last("WORKDIR") == "/var/lib/threadcast"
    assert final.last("STOPSIGNAL") == "SIGTERM"
    assert "/health/ready" in final.last("HEALTHCHECK")
    assert final.last("ENTRYPOINT") == '["threadcast"]'


def compose() -> dict[str, Any]:
    loaded = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_three_services_share_a_queue() -> None:
    """Three services start on one PostgreSQL, after its tables are there; none can write its root."""
    told = compose()
    services = told["services"]
    ours = {name: one for name, one in services.items() if "build" in one}
    working = [one for one in ours.values() if "command" not in one]
    assert len(working) == 3
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in ours.values())
    assert all(
        one["depends_on"] == {"tables": {"condition": "service_completed_successfully"}} for one in working
    )
    assert len({one["hostname"] for one in working}) == len({one["volumes"][0] for one in working}) == 3
    mounts = [mount.split(":") for one in services.values() for mount in one.get("volumes", [])]
    assert {volume for volume, _ in mounts} == told["volumes"].keys()
    assert {name for one in services.values() for name in one["secrets"]} == told["secrets"].keys()
    assert not [one for one in services.values() if "ports" in one]
    build = services["one"]["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).resolve() == FILE
    assert (COMPOSE.parent / services["one"]["env_file"]).is_file()


def test_the_services_understand_their_secrets(tmp_path: Path) -> None:
    """The secret files of compose.yaml, by their names and as its head has them made, are settings."""
    told = compose()["services"]["one"]
    (url,) = re.findall(r'echo "(postgresql://.*?)" >', COMPOSE.read_text())
    (tmp_path / "database_url").write_text(url.replace("$(cat secrets/database_password)", "5ea1") + "\n")
    (tmp_path / "telegram__token").write_text("123456789:AAE4a_long_token_that_no_bot_of_anybody_has\n")
    assert {path.name for path in tmp_path.iterdir()} == set(told["secrets"])
    settings = load({**told["environment"], "THREADCAST_SECRETS_DIR": str(tmp_path)}, folder=tmp_path)
    assert settings.database_url.get_secret_value() == "postgresql://threadcast:5ea1@database/threadcast"
    assert settings.telegram.token is not None


class Image:
    """What the container file makes, in a folder: /opt, /src and /var/lib of the image are in there."""

    def __init__(self, folder: Path, python: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self._pip = has_pip(python)
        self._env = {"PATH": f"{folder}/usr/bin:/usr/bin:/bin", **env}
        (folder / "usr/bin").mkdir(parents=True)
        (folder / "usr/bin/python").symlink_to(python)

    def placed(self, text: str) -> str:
        return re.sub(r"(?<![\w/.])/(?=(?:opt|src|var/lib)\b)", f"{self.folder}/", text)

    def build(self, stage: Stage) -> None:
        folder = self.folder
        for name, text in stage.steps:
            if name == "WORKDIR":
                folder = Path(self.placed(text))
                folder.mkdir(parents=True)
            elif name == "COPY":
                *sources, target = text.split()
                copy(sources, folder / target)
            else:
                assert name == "RUN"
                self._run(text, folder)

    def _run(self, text: str, folder: Path) -> None:
        words = ["sh", "-ec", self.placed(text).replace("python -m pip", f"{self._pip} -m pip")]
        done = subprocess.run(words, cwd=folder, env=self._env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not SLOW, reason="make release-test")
def test_its_commands_do_the_main_job(elsewhere: Path, from_the_lock: dict[str, str]) -> None:
    """What it does, done in an empty folder with an empty environment, publishes and is ready."""
    build, final = stages()
    image = Image(elsewhere / "image", Path(SYSTEM), from_the_lock)
    image.build(build)

    env = dict(image.placed(text).split("=", 1) for name, text in final.steps if name == "ENV")
    volume = Path(image.placed(final.last("VOLUME")))
    volume.mkdir(parents=True)
    give(volume)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    env["THREADCAST_WEB__LISTEN"] = f"127.0.0.1:{port}"
    programs = image.folder / "opt/threadcast/bin"
    (entry,) = json.loads(final.last("ENTRYPOINT"))
    main_job([programs / entry], volume, env)

    who = somebody(programs / entry)
    words = json.loads(final.last("HEALTHCHECK").split("CMD ", 1)[1])
    check = [str(programs / words[0]), *(word.replace(PORT, port) for word in words[1:])]
    assert not healthy(check, env, who)
    service = subprocess.Popen(
        [programs / entry, *json.loads(final.last("CMD"))],
        cwd=volume,
        env=env,
        stderr=subprocess.DEVNULL,
        **who,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not healthy(check, env, who):
            assert time.monotonic() < until
            assert service.poll() is None
        service.terminate()
        assert service.wait(PATIENCE) == 0
    finally:
        service.kill()
        service.wait()


def healthy(words: list[str], env: dict[str, str], who: Somebody) -> bool:
    return subprocess.run(words, env=env, cwd="/", check=False, capture_output=True, **who).returncode == 0


def has_pip(python: Path) -> Path:
    """A Python with pip: that one, as in the image, or the one of these tests for it."""
    found = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True)
    return python if found.returncode == 0 else Path(sys.executable)


def copy(sources: list[str], target: Path) -> None:
    """Copy files, or what git has of a folder."""
    for source in sources:
        names = [name for name in tracked() if name == source or name.startswith(f"{source}/")]
        assert names, source
        for name in names:
            rest = Path(name).relative_to(source)
            to = target / rest if (ROOT / source).is_dir() else target / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to)
