"""straxen's storage where nothing is known of its databases."""

import configparser

import pytest
import strax
import straxen

from bootstrax_worker import frontends
from bootstrax_worker.errors import describe

PLAN = {"attempt": "a" * 24, "outputDirectory": "/nowhere", "host": "eb5.xenon.local"}


@pytest.fixture(params=["no file", "a file without the section", "a password that is no URL"])
def configuration(request, monkeypatch):
    content = None
    if request.param != "no file":
        content = configparser.ConfigParser(interpolation=None)
        content["RunDB"] = {"pymongo_database": "xenonnt"}
    if request.param == "a password that is no URL":
        content["rundb_admin"] = {
            "mongo_rdb_url": "127.0.0.1:1",
            "mongo_rdb_username": "daq",
            "mongo_rdb_password": "p@:/%s",
            "mongo_rdb_database": "xenonnt",
        }
    # utilix gives one object to all who ask it.
    for module in (straxen, frontends.straxen.storage.online_monitor_frontend):
        monkeypatch.setattr(module, "uconfig", content)
    return request.param


def test_the_run_goes_on_without_an_online_monitor(configuration):
    warnings = []
    plan = {**PLAN, "frontends": ["online_monitor"]}
    assert frontends.open_frontends(plan, warnings.append) == []
    assert len(warnings) == 1 and "online monitor" in warnings[0]
    assert "p@:/%s" not in warnings[0]


def test_a_run_database_that_is_not_configured_is_the_hosts_fault(configuration):
    if configuration == "a password that is no URL":
        pytest.skip("it is configured")
    plan = {**PLAN, "frontends": ["run_database"]}
    with pytest.raises(frontends.NotConfigured) as caught:
        frontends.open_frontends(plan, pytest.fail)
    assert describe(caught.value, "/nowhere")["origin"] == "host"


def test_what_is_made_anew_is_not_read_from_the_run_database(monkeypatch):
    configured = configparser.ConfigParser()
    names = ("url", "username", "password", "database")
    configured["rundb_admin"] = {f"mongo_rdb_{name}": "x" for name in names}
    monkeypatch.setattr(straxen, "uconfig", configured)
    looked_for = []

    def opened(self, **_):
        self.available_query, self.hostname = [], ""

    def find(self, key, *_):
        looked_for.append(str(key))
        raise strax.DataNotAvailable

    # There is no database in this test: only what is asked of it.
    monkeypatch.setattr(straxen.RunDB, "__init__", opened)
    monkeypatch.setattr(straxen.RunDB, "_find", find)
    anew, other = (strax.DataKey("000007", name, {}) for name in ("peaks", "records"))
    plan = {**PLAN, "frontends": ["run_database"], "replaces": [f"/output/{anew}/"]}
    (storage,) = frontends.open_frontends(plan, pytest.fail)
    for key in (anew, other):
        with pytest.raises(strax.DataNotAvailable):
            storage._find(key, False, False, (), ())
    assert looked_for == [str(other)]
