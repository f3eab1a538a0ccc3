"""The demo cities: real street data that lies inside source archives of public packages.

An archive is fetched by pip under its pinned hash and never installed; the file taken out of it is
checked against a hash of its own, so the city is the same everywhere.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from web.commands import street_segments
from web.commands.trouble import Trouble


@dataclass(frozen=True, slots=True)
class City:
    """A city and where its data lie. A derived one is made from street segments only."""

    name: str
    title_zh: str
    title_en: str
    time_zone: str
    package: str
    version: str
    archive_sha256: str
    path: str
    path_sha256: str
    is_derived: bool


CITIES = {
    "monaco": City(
        name="monaco",
        title_zh="摩纳哥",
        title_en="Monaco",
        time_zone="Europe/Monaco",
        package="quackosm",
        version="0.19.0",
        archive_sha256="90b9888963baff37c169fc6f4eec8b07a1d68228426b7a9cabbc7a685a2fd173",
        path="tests/test_files/monaco.osm.pbf",
        path_sha256="1fdee8b72c48f932cab3aa9f1f74f87dfd954509a3b47cb932556d827189b97c",
        is_derived=False,
    ),
    "wuhan": City(
        name="wuhan",
        title_zh="武汉",
        title_en="Wuhan",
        time_zone="Asia/Shanghai",
        package="neatnet",
        version="0.1.6",
        archive_sha256="a1f760e0875a7f42a778d86293c397b37ee61e71fba49769c2b3db30271a7fff",
        path="data/wuhan_8989/original.parquet",
        path_sha256="aeadb891a146320d617de30b7df552818b200e9372cfeaf50535300b8bd8d244",
        is_derived=True,
    ),
}


def city_named(name: str) -> City:
    """Find a demo city. Raises Trouble."""
    if name not in CITIES:
        known = ", ".join(CITIES)
        raise Trouble(
            f"There is no demo city {name!r}; there are {known}.",
            f"没有名为 {name!r} 的演示城市；可选：{known}。",
        )
    return CITIES[name]


Download = Callable[[City, Path], Path]


def fetch(city: City, folder: Path, *, download: Download | None = None) -> Path:
    """Give the city's OpenStreetMap file, fetched on the first call. Raises Trouble."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{city.name}.osm.pbf"
    taken = folder / Path(city.path).name if city.is_derived else file
    if not taken.exists() or _sha256(taken) != city.path_sha256:
        _take_out(city, taken, download or _download)
    if city.is_derived and not file.exists():
        street_segments.write_osm(taken, file)
    return file


def _take_out(city: City, target: Path, download: Download) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        archive = download(city, Path(scratch))
        with tarfile.open(archive) as whole:
            member = whole.extractfile(f"{city.package}-{city.version}/{city.path}")
            content = b"" if member is None else member.read()
    if hashlib.sha256(content).hexdigest() != city.path_sha256:
        raise Trouble(
            f"{city.path} in {city.package} {city.version} is not the file that was expected.",
            f"{city.package} {city.version} 中的 {city.path} 与预期不符。",
        )
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.rename(target)


def _download(city: City, folder: Path) -> Path:
    # pip asks every source archive for its metadata, hence the build back ends in the lock file.
    wanted = folder / "wanted.txt"
    pin = f"{city.package}=={city.version} --hash=sha256:{city.archive_sha256}\n"
    wanted.write_text(pin)
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--no-binary", ":all:", "--no-build-isolation",
        "--require-hashes", "--requirement", str(wanted), "--dest", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[-1:]
        raise Trouble(
            f"The demo city could not be fetched: {' '.join(why)}\n"
            "Without it: golden up --no-demo, then golden import osm FILE",
            f"无法下载演示城市：{' '.join(why)}\n"
            "可不用演示：golden up --no-demo，然后 golden import osm FILE",
        )
    return next(folder.glob("*.tar.gz"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
