"""The Debian package in a root of its own, and what systemd makes of its unit."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.release.job import ROOT, SLOW, main_job

UNIT = ROOT / "release/threadcast.service"

slow = pytest.mark.skipif(not SLOW, reason="make release-test")
debian = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed here")


class Root:
    """A root folder in which Debian's Python counts as installed, and nothing else."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        status = folder / "var/lib/dpkg"
        for part in ("updates", "info", "triggers"):
            (status / part).mkdir(parents=True)
        architecture = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        )
        (status / "status").write_text(
            f"Package: {python}\nStatus: install ok installed\nVersion: 3.0\nMaintainer: nobody\n"
            f"Architecture: {architecture.stdout.strip()}\nDescription: stands for that of this machine\n\n"
        )

    def dpkg(self, *words: str | Path) -> str:
        """Run dpkg on this root, and press Enter where it asks.

        The package's scripts run outside of it, and are told where it is.
        """
        forced = ["--force-not-root", "--force-script-chrootless", "--force-confdef"]
        forced += ["--log=/dev/null", f"--root={self.folder}"]
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        done = subprocess.run(
            ["dpkg", *forced, *words], capture_output=True, text=True, check=False, env={"PATH": path}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@slow
@debian
def test_installed_upgraded_removed(made: Path, tmp_path: Path, elsewhere: Path) -> None:
    """It installs and publishes; upgrade and removal keep the owner's settings, `purge` the queue."""
    (package,) = made.glob("*.deb")
    told = subprocess.run(
        ["dpkg-deb", "--field", package, "Depends"], check=True, capture_output=True, text=True
    )
    python = told.stdout.strip()
    if not Path("/usr/bin", python).exists():
        pytest.skip(f"the package was made for {python}, which is not here")
    root = Root(elsewhere / "root", python)

    assert "systemctl enable --now threadcast" in root.dpkg("--install", package)
    home = root.folder / "opt/threadcast"
    work = elsewhere / "work"
    work.mkdir()
    work.chmod(0o777)
    main_job([home / "bin/python", "-I", "-m", "threadcast.bot"], work, {})
    assert (root.folder / "etc/threadcast/secrets").stat().st_mode & 0o777 == 0o700
    assert not [path for path in home.rglob("*") if path.suffix == ".pyc" and "__pycache__" not in path.parts]

    settings = root.folder / "etc/threadcast/threadcast.env"
    settings.write_text("THREADCAST_TIMEZONE=Europe/Berlin\n")
    assert "is installed" not in root.dpkg("--install", newer(package, tmp_path))
    assert settings.read_text() == "THREADCAST_TIMEZONE=Europe/Berlin\n"
    assert (root.folder / "usr/share/doc/threadcast/copyright").read_text() == "newer\n"

    root.dpkg("--remove", "threadcast")
    assert not home.exists()
    assert settings.exists()
    (root.folder / "var/lib/private/threadcast").mkdir(parents=True)
    assert "The queue stays" in root.dpkg("--purge", "threadcast")
    assert not settings.parent.exists()


def newer(package: Path, folder: Path) -> Path:
    """The same package in a newer version, whose settings and licence say something else."""
    words = ["dpkg-deb", "--raw-extract", str(package), str(folder / "raw")]
    subprocess.run(words, check=True)
    control = folder / "raw/DEBIAN/control"
    control.write_text(re.sub("(?m)^Version: .*", "Version: 9.0", control.read_text()))
    with (folder / "raw/etc/threadcast/threadcast.env").open("a") as settings:
        settings.write("# a line that is new\n")
    (folder / "raw/usr/share/doc/threadcast/copyright").write_text("newer\n")
    target = folder / "newer.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder / "raw", target],
        check=True,
        capture_output=True,
    )
    return target


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_the_service_may_do_little() -> None:
    """systemd rates what an attacker in the service could do at 2.0 of 10 at most."""
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"exposure level for threadcast.service: [01]\.\d", done.stdout)


def test_the_command_sees_what_the_service_sees() -> None:
    """Root's command has the user, the folder, the settings and the secrets of the unit."""
    unit = dict(
        line.split("=", 1) for line in UNIT.read_text().splitlines() if re.match("[A-Z][A-Za-z]+=", line)
    )
    command = (ROOT / "release/debian/threadcast").read_text()
    given = dict(re.findall(r"--property=(\w+)=(\S+)", command))
    state = "/var/lib"
    assert given == {name: unit[name].replace("%S", state) for name in given}
    assert {"User", "DynamicUser", "StateDirectory", "EnvironmentFile", "LoadCredential"} <= given.keys()
    assert "Environment=THREADCAST_DATA=%S/threadcast" in UNIT.read_text()
    assert f"--setenv=THREADCAST_DATA={state}/threadcast" in command


@pytest.mark.parametrize("script", sorted((ROOT / "release/debian").iterdir()), ids=lambda path: path.name)
def test_scripts_are_plain_sh(script: Path) -> None:
    """Each script of the package is one that any sh reads, and stops at the first fault."""
    subprocess.run(["sh", "-n", script], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "set -eu" in script.read_text()
