"""Links to documents that do not exist, on domains that are reserved for examples (RFC 2606)."""

from dataclasses import dataclass
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
PDF = "application/pdf"


def document(header: str, link: str, content_type: str = PDF) -> Document:
    """Return a document as `battery_pass` writes it; headers hold at most 100 characters."""
    return {"content": link, "contentType": content_type, "header": header}


@dataclass(frozen=True, slots=True)
class Documents:
    """Where the documents of one battery model lie."""

    domain: str
    model: str

    def of_model(self, header: str, name: str, content_type: str = PDF) -> list[Document]:
        """Return a list with one document on the model."""
        return [document(header, f"https://docs.{self.domain}/{self.model}/{name}", content_type)]

    def of_maker(self, header: str, name: str, content_type: str = PDF) -> list[Document]:
        """Return a list with one document on the maker and all its models."""
        return [document(header, f"https://www.{self.domain}/{name}", content_type)]

    def of_battery(self, serial: str, header: str, name: str, content_type: str = PDF) -> list[Document]:
        """Return a list with one document on a single battery."""
        return [document(header, self.battery_link(serial, name), content_type)]

    def battery_link(self, serial: str, name: str) -> str:
        """Return the address of a document on a single battery."""
        return f"https://service.{self.domain}/{serial}/{name}"
