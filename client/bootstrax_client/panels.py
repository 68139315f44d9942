"""What the dashboard sends of the whole fleet, by its stream of events."""

from __future__ import annotations

import json
import time
from typing import Any

from .connection import Connection
from .errors import DashboardAway, DatabaseAway


def read_panel(connection: Connection, name: str) -> Any:
    """The panel once it is fresh: the dashboard reads nothing while nobody looks."""
    deadline = time.monotonic() + connection.limits.timeout_seconds
    failing = ""
    with connection.stream("/api/stream") as events:
        panel: Any = None
        for event in events:
            if event.name == "panel":
                said = json.loads(event.data)
                panel = said if said["panel"] == name else panel
            elif event.name == "status":
                status = json.loads(event.data)
                failing = status["failing"].get(name, "")
                age = status["ages"].get(name)
                is_known = panel is not None and age is not None and not failing
                if is_known and age <= panel["staleAfterSeconds"]:
                    return panel["data"]
            if time.monotonic() > deadline:
                break
    if failing:
        raise DatabaseAway(f"the dashboard cannot read its {name}: {failing}. Check its databases")
    raise DashboardAway(f"the dashboard at {connection.url} sends no {name}: its log says more")
