"""What the server is told from outside: the only place that reads the environment."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from battpass.kg.policy import Policy


class Settings(BaseSettings):
    """Settings of one server, each from BATTPASS_<NAME> unless given by name.

    >>> Settings(port=8000).port
    8000
    """

    model_config = SettingsConfigDict(env_prefix="BATTPASS_", frozen=True)

    home: Path = Field(Path(".battpass"), description="folder with the passports")
    host: str = Field("127.0.0.1", description="address that the server listens on")
    port: int = Field(
        8008, ge=0, le=65_535, description="port that the server listens on; 0 takes a free one"
    )
    query_deadline_seconds: float = Field(
        20.0, gt=0, le=600, description="time for one query, from its arrival to its last byte"
    )
    query_memory_mb: int = Field(1024, ge=64, description="memory that one query may take")
    query_workers: int = Field(
        default_factory=lambda: min(4, max(2, os.cpu_count() or 2)),
        ge=1,
        le=64,
        description="queries that run at the same time; by default 2 to 4, by processor cores",
    )
    max_body_bytes: int = Field(1_048_576, ge=1_024, description="size of the largest request body")
    max_document_bytes: int = Field(
        4_194_304, ge=1_024, description="size of the largest document that is written to /v1 or validated"
    )
    intake_workers: int = Field(
        default_factory=lambda: min(5, 1 + (os.cpu_count() or 2)),
        ge=1,
        le=64,
        description="documents that are read and checked at the same time; one more than cores, up to 5",
    )
    queries_per_client: int = Field(
        16, ge=1, description="queries that one client may have under way, waiting ones included"
    )
    writes_per_client: int = Field(
        16, ge=1, description="writes that one client may have under way, waiting ones included"
    )
    validation_workers: int = Field(
        2, ge=1, le=64, description="documents that are validated at the same time, by ours or other shapes"
    )
    validation_deadline_seconds: float = Field(
        30.0, gt=0, le=600, description="time for one validation, from when a worker takes it"
    )
    validation_memory_mb: int = Field(
        1024, ge=128, description="memory that one validation may take, on top of what its worker holds"
    )
    validations_per_client: int = Field(
        8, ge=1, description="validations that one client may have under way, waiting ones included"
    )
    remembered_mb: int = Field(
        64,
        ge=1,
        description=(
            "memory for passports that were made ready to be sent, kept for the next reader; "
            "as much again for whole answers"
        ),
    )
    policy: Policy | None = Field(
        None,
        description="what becomes of a write with violations: reject, quarantine or record; unset, drafts "
        "are kept and publishing is refused",
    )
    metrics_open_here: bool = Field(
        False, description="give /metrics without a key to programs on this machine; not behind a proxy here"
    )
    dataset_wait_seconds: float = Field(
        5.0, ge=0, le=60, description="how long a query waits for a dataset that is still being built"
    )
