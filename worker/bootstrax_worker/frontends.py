"""straxen's storage beside the output folder.

Both are opened in the child of an attempt, after the fork, and find their database through utilix,
in the file that XENON_CONFIG names: no credential is in a plan or an argument.
"""

import configparser
import os
from collections.abc import Iterable

import pymongo
import strax
import straxen
from bson.errors import BSONError
from pymongo.errors import PyMongoError

from .errors import OutputUnusable

# The types that straxen's contexts send to the online monitor on a machine of the DAQ.
ONLINE_TYPES = (
    "veto_intervals",
    "online_peak_monitor",
    "event_basics",
    "online_monitor_nv",
    "online_monitor_mv",
    "individual_peak_monitor",
)
_RUN_DATABASE = {
    "mongo_url": "mongo_rdb_url",
    "mongo_user": "mongo_rdb_username",
    "mongo_password": "mongo_rdb_password",
    "mongo_database": "mongo_rdb_database",
}
_SOCKET_SECONDS = 60
# A document that is too large raises an error that is not the driver's own.
_NOT_STORED = (PyMongoError, BSONError, OverflowError)


class NotConfigured(OutputUnusable):
    """The plan needs a database that utilix does not know."""


class RunDatabase(straxen.RunDB):
    """straxen's RunDB, only for reading: the manager lists products after their publication."""

    def __init__(self, host: str, replaced: Iterable[str] = ()) -> None:
        """Open it.

        :param host: the name of this host in data entries.
        :param replaced: listed folders whose data is to be made again.
        """
        self._replaced = {os.path.basename(os.path.abspath(location)) for location in replaced}
        accounts = {name: _configured(key) for name, key in _RUN_DATABASE.items()}
        super().__init__(minimum_run_number=0, runid_field="number", **accounts)
        for query in self.available_query:
            if query == {"host": self.hostname}:
                query["host"] = host
        self.hostname = host

    def _find(self, key, *args, **kwargs):
        if str(key) in self._replaced:
            raise strax.DataNotAvailable(f"{key} is made anew")
        return super()._find(key, *args, **kwargs)


class OnlineMonitor(straxen.OnlineMonitor):
    """straxen's OnlineMonitor, except that what it cannot store does not fail the run.

    A document may have 16 MB, and a long `veto_intervals` has more. A type that was not stored
    completely is marked as broken, like one after a crash.
    """

    def __init__(self, warn) -> None:
        """Open it.

        :param warn: called with one sentence when a data type is no longer stored.
        """
        _configured("mongo_rdb_url")
        super().__init__(readonly=False, take_only=ONLINE_TYPES)
        uri = straxen.get_mongo_uri(
            header="rundb_admin",
            user_key="mongo_rdb_username",
            pwd_key="mongo_rdb_password",
            url_key="mongo_rdb_url",
        )
        self.client.close()
        # strax sets no limit: an answer that never comes would block the run.
        self.client = pymongo.MongoClient(uri, socketTimeoutMS=_SOCKET_SECONDS * 1000)
        self.db = self.client[self.db.name]
        self.backends = [_Backend(self.db, self.col_name, warn)]


class _Backend(strax.MongoBackend):
    def __init__(self, database, collection: str, warn) -> None:
        super().__init__("mongodb://unused", database.name, collection)
        self.client.close()
        self.client, self.db = database.client, database
        self._warn = warn

    def _saver(self, key, metadata, **kwargs):
        return _Saver(key, metadata, self.db[self.col_name], warn=self._warn, **kwargs)


class _Saver(strax.MongoSaver):
    """Stores chunks until the first error, and none after it."""

    def __init__(self, key, metadata, collection, *, warn, **kwargs) -> None:
        self._warn = warn
        self._data_type = str(key).split("-")[1]
        self._given_up = False
        try:
            super().__init__(key, metadata, collection, **kwargs)
        except _NOT_STORED as error:
            strax.Saver.__init__(self, metadata, **kwargs)
            self._give_up(error)

    def _save_chunk(self, data, chunk_info, executor=None):
        return self._forgiving(super()._save_chunk, data, chunk_info, executor) or ({}, None)

    def _save_chunk_metadata(self, chunk_info):
        self._forgiving(super()._save_chunk_metadata, chunk_info)

    def _close(self):
        if not self._given_up:
            self._forgiving(super()._close)

    def _forgiving(self, store, *args):
        if self._given_up:
            return None
        try:
            return store(*args)
        except _NOT_STORED as error:
            return self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._given_up = True
        reason = f"{type(error).__name__}: {error}"[:500]
        self._warn(
            f"{self._data_type} is no longer stored in the online monitor: {reason}; "
            "the run goes on without it"
        )
        if not hasattr(self, "id_md"):
            return
        try:
            broken = {"$set": {"metadata.exception": reason}}
            self.col.update_one({"_id": self.id_md}, broken)
        except _NOT_STORED as second:
            print(f"nor can it be marked as broken: {second}")


def open_frontends(plan: dict, warn) -> list:
    """The frontends that the plan names, beside the place of the attempt."""
    names = plan.get("frontends") or []
    frontends = []
    if "run_database" in names:
        frontends.append(RunDatabase(plan["host"], plan.get("replaces") or ()))
    if "online_monitor" in names:
        try:
            frontends.append(OnlineMonitor(warn))
        except (NotConfigured, configparser.Error, PyMongoError, ValueError) as error:
            # The text of other errors may contain the password.
            why = str(error) if isinstance(error, NotConfigured) else type(error).__name__
            warn(f"nothing is stored in the online monitor, it cannot be opened: {why}")
    return frontends


def _configured(key: str) -> str:
    configuration = straxen.uconfig
    if configuration is None or not configuration.has_option("rundb_admin", key):
        raise NotConfigured(
            f"utilix has no {key} below [rundb_admin]: set XENON_CONFIG to the site's file, or "
            "switch worker.online_monitor and worker.run_database off"
        )
    return configuration.get("rundb_admin", key)
