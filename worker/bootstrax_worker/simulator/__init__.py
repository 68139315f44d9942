"""A simulated data acquisition: run documents, live data and detector status, like redax."""

from .live_data import LiveData, RunShape, Written, write_live_data
from .run_document import run_document, run_id

__all__ = ["LiveData", "RunShape", "Written", "run_document", "run_id", "write_live_data"]
