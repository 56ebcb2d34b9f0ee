"""Makes what a release is: wheel, sdist, Debian package, list of components, sums. Twice the same bytes.

    python release/build.py [--into FOLDER] [--epoch SECONDS] [--only python] [SOURCE]

SOURCE is a folder with the sources; without it, they are what git has at HEAD.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
HOME = "opt/threadcast"  # where a Debian package has its environment
REMOVED = re.compile(r"\.\./\.\./\.\./bin/|[^,]*/direct_url\.json,")  # lines of a list of installed files
COMMAND = f"""#!/{HOME}/bin/python -I
import sys

from threadcast.bot.shell.cli import main

sys.exit(main())
"""


def run(*words: str | Path, folder: Path, more: Mapping[str, str] | None = None) -> None:
    """Run a command that says nothing unless it fails, free of what is this user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(  # noqa: S603  # our own words
        [str(word) for word in words],
        cwd=folder,
        env={**kept, **fixed, **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nmaking the release stopped: {' '.join(map(str, words))}")


def said(*words: str) -> str:
    """Return what a command says in the repository; it has to be there."""
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def take_sources(target: Path) -> None:
    """Put what git has at HEAD into a folder: what lies about in this one is in no release."""
    packed = target.with_suffix(".tar")
    run("git", "-c", "tar.umask=0022", "archive", "--output", packed, "HEAD", folder=ROOT)
    with tarfile.open(packed) as archive:
        archive.extractall(target, filter="data")


def make_python(source: Path, into: Path, epoch: int) -> Path:
    """Make the sdist, and the wheel of what is in the sdist; return the wheel."""
    more = {"SOURCE_DATE_EPOCH": str(epoch)}
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", into, source, folder=source, more=more)
    (sdist,) = into.glob("*.tar.gz")
    settle(sdist, epoch)
    (wheel,) = into.glob("*.whl")
    return wheel


def settle(sdist: Path, epoch: int) -> None:
    """Write an sdist anew without what differs each time: times, owners, the order of files."""
    with tarfile.open(sdist) as before:
        members = [
            (member, None if (file := before.extractfile(member)) is None else file.read())
            for member in sorted(before.getmembers(), key=lambda one: one.name)
        ]
    with (
        sdist.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member, data in members:
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.mtime = member.type, epoch
            plain.mode = 0o644 if member.isfile() else 0o755
            if data is None:
                after.addfile(plain)
            else:
                plain.size = len(data)
                with tempfile.SpooledTemporaryFile() as file:
                    file.write(data)
                    file.seek(0)
                    after.addfile(plain, file)


def make_environment(wheel: Path, lock: Path, python: str, root: Path) -> Path:
    """Make the environment of the Debian package in `root`, and nothing in it knows where it was made."""
    home = root / HOME
    run(Path(python).resolve(), "-m", "venv", "--without-pip", home, folder=root)
    pip = (sys.executable, "-m", "pip", "--python", home / "bin/python", "--disable-pip-version-check")
    install = (*pip, "install", "--quiet", "--no-compile", "--no-deps")
    run(*install, "--require-hashes", "-r", lock, folder=root)
    run(*install, "--no-index", wheel, folder=root)
    run(*pip, "uninstall", "--quiet", "--yes", "setuptools", folder=root)  # the lock has it to build with
    for left in (home / "bin").iterdir():
        if not left.name.startswith("python"):
            left.unlink()
    for left in home.glob("lib/python*/site-packages/*.dist-info/direct_url.json"):
        left.unlink()
    for listed in home.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        lines = listed.read_text().splitlines(keepends=True)
        listed.write_text("".join(line for line in lines if not REMOVED.match(line)))
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    (home / "bin/threadcast").write_text(COMMAND)
    (home / "bin/threadcast").chmod(0o755)
    modes = ("--invalidation-mode", "unchecked-hash")
    run(
        home / "bin/python",
        "-m",
        "compileall",
        "-q",
        *modes,
        "-s",
        root,
        "-p",
        "/",
        home / "lib",
        folder=root,
    )
    return home


def make_debian(home: Path, source: Path, into: Path, version: str, epoch: int) -> None:
    """Make the Debian package for this machine's architecture."""
    root = home.parents[1]
    (python,) = (path.name for path in home.glob("lib/python*"))
    for name in ("threadcast.service", "threadcast.env", "nfpm.yaml", "debian"):
        copy = shutil.copytree if (source / "release" / name).is_dir() else shutil.copy
        copy(source / "release" / name, root / name)
    for name in ("config/example.env", "LICENSE", "CHANGELOG.md"):
        shutil.copy(source / name, root)
    architecture = said("dpkg", "--print-architecture")
    more = {
        "VERSION": debian_version(version),
        "ARCHITECTURE": architecture,
        "PYTHON": python,
        "SOURCE_DATE_EPOCH": str(epoch),
    }
    target = into / f"threadcast_{debian_version(version)}_{architecture}.deb"
    for path in (root, *root.rglob("*")):
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    nfpm = Path(sys.executable).parent / "nfpm"
    run(nfpm, "package", "--packager", "deb", "--target", target, folder=root, more=more)


def debian_version(version: str) -> str:
    """Return a version as Debian sorts it: a candidate before what it is one for."""
    return re.sub(r"\.?(a|b|rc|dev)(\d+)$", r"~\1\2", version)


def make_components(home: Path, source: Path, into: Path, version: str) -> None:
    """Write down what is in the environment of the Debian package, as CycloneDX has it."""
    target = into / f"threadcast-{version}.cdx.json"
    words = (sys.executable, "-m", "cyclonedx_py", "environment", home / "bin/python")
    options = (
        "--pyproject",
        source / "pyproject.toml",
        "--output-reproducible",
        "--of",
        "JSON",
        "-o",
        target,
    )
    run(*words, *options, folder=source)


def make_sums(into: Path) -> None:
    """Write the SHA-256 sums, as sha256sum reads them."""
    made = sorted(path for path in into.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (into / "SHA256SUMS").write_text("".join(lines))


def main() -> None:
    """Make a release, and say what was made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--into", type=Path, default=ROOT / "build/release")
    parser.add_argument("--epoch", type=int, help="the time that all files have; else that of the commit")
    parser.add_argument("--only", choices=["python"], help="wheel and sdist")
    parser.add_argument("--python", default="/usr/bin/python3", help="the Debian package's")
    given = parser.parse_args()
    os.umask(0o022)
    into = given.into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    epoch = given.epoch or int(said("git", "log", "-1", "--format=%ct"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        if given.source is None:
            take_sources(source)
        else:
            shutil.copytree(given.source, source)
        version = tomllib.loads((source / "pyproject.toml").read_text())["project"]["version"]
        wheel = make_python(source, into, epoch)
        if given.only is None:
            root = Path(folder, "root")
            root.mkdir()
            home = make_environment(wheel, source / "requirements.lock", given.python, root)
            make_components(home, source, into, version)
            if shutil.which("dpkg") is None:
                print("no Debian package here: dpkg is not installed", file=sys.stderr)  # noqa: T201
            else:
                make_debian(home, source, into, version, epoch)
        make_sums(into)
    for path in sorted(into.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path}")  # noqa: T201  # the answer


if __name__ == "__main__":
    main()
