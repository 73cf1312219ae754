from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bookinfo.ratings import choosing, database, memory, settings
from bookinfo.service.settings import SettingError

LIMITS = database.Limits(timeout_s=1, connections=1)

DRIVERS = ("aiomysql", "asyncpg", "pymongo")

ADDRESSES = [
    ("pymongo", settings.MongoAddress("mongodb://mongodb/test")),
    ("aiomysql", settings.MySqlAddress(host="mysqldb", port=3306, user="root", password="")),
    ("asyncpg", settings.PostgresAddress("postgresql://host/shop")),
    (None, settings.SqliteAddress(Path("ratings.db"))),
]


def test_ratings_are_in_memory_unless_there_is_an_address() -> None:
    chosen = choosing.build_store(settings.RatingsSettings(address=None, limits=LIMITS))
    assert isinstance(chosen, memory.MemoryStore)


@pytest.mark.parametrize(("driver", "address"), ADDRESSES)
def test_each_address_has_its_database(driver: str | None, address: settings.Address) -> None:
    chosen = choosing.build_store(settings.RatingsSettings(address=address, limits=LIMITS))
    assert isinstance(chosen, database.DatabaseStore)
    if driver is not None:
        assert driver in sys.modules


@pytest.mark.parametrize(("driver", "address"), ADDRESSES[:3])
def test_missing_driver_is_named_with_the_way_to_get_it(
    driver: str, address: settings.Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == driver]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("mongodb", "mysql", "postgresql"):
        monkeypatch.delitem(sys.modules, f"bookinfo.ratings.{module}", raising=False)
        monkeypatch.delattr(f"bookinfo.ratings.{module}", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Absent(driver), *sys.meta_path])
    with pytest.raises(choosing.MissingDriverError, match=f"need the Python package {driver}, ") as missing:
        choosing.build_store(settings.RatingsSettings(address=address, limits=LIMITS))
    assert str(missing.value).endswith("pip install bookmesh[databases]")
    assert missing.value.variable


class Absent:
    """Finds one package missing, as where it is not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_url_that_the_driver_refuses_names_the_variable_and_hides_the_password() -> None:
    address = settings.MongoAddress("mongodb://me:secret@mongodb:port")
    with pytest.raises(SettingError, match=r"^environment variable MONGO_DB_URL is '\*\*\*', ") as refused:
        choosing.build_store(settings.RatingsSettings(address=address, limits=LIMITS))
    assert "secret" not in str(refused.value)


def test_no_driver_is_imported_before_its_database_is_chosen() -> None:
    program = (
        "import sys, bookinfo.preload; from bookinfo import main; main.create_service('ratings', {}, port=0); "
        f"print([name for name in {DRIVERS!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
