"""The base of the models that are stored."""

from pydantic import BaseModel, ConfigDict


class Stored(BaseModel):
    """Base of stored models. Unknown fields are skipped, so older code reads newer rows."""

    model_config = ConfigDict(extra="ignore")


class Failure(Stored):
    """The reason for a failure: Telnyx's code and message, or ours."""

    code: str
    message: str
