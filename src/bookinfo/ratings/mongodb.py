"""Ratings in MongoDB: collection `ratings` of database `test`, documents such as `{rating: 5}`, in natural order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pymongo
from pymongo.errors import AutoReconnect, PyMongoError

from bookinfo.ratings import database, store

COLLECTION: Final = "ratings"


class MongoDatabase:
    """
    The driver pools connections, and from the first request on watches the server in the background.

    As in Istio's sample, a database named in the URL is the one to log in to, not the one to read.
    """

    answer_on_failed_query = database.NOT_LOADED

    def __init__(self, url: str, limits: database.Limits) -> None:
        """
        Prepare to connect.

        Raises:
            ValueError: the URL cannot be used, with the reason, which does not quote the URL.
        """
        timeout_ms = int(limits.connect_timeout_s * 1000)
        try:
            self._client: pymongo.AsyncMongoClient[Mapping[str, Any]] = pymongo.AsyncMongoClient(
                url,
                maxPoolSize=limits.connections,
                connectTimeoutMS=timeout_ms,
                serverSelectionTimeoutMS=timeout_ms,
                appname="bookinfo-ratings",
            )
        except (PyMongoError, ValueError) as error:
            raise ValueError(str(error)) from error

    async def open(self) -> None:
        """Nothing to do: the driver starts with the first request."""

    async def close(self) -> None:
        await self._client.close()

    async def first_ratings(self) -> Sequence[object]:
        try:
            collection = self._client[database.NAME][COLLECTION]
            documents = await collection.find({}, {"rating": 1}).limit(2).to_list()
        except AutoReconnect as error:
            raise store.UnavailableError(database.NOT_CONNECTED, str(error)) from error
        except PyMongoError as error:
            raise store.UnavailableError(database.NOT_LOADED, str(error)) from error
        return [document.get("rating") for document in documents]
