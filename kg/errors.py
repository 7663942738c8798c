"""What can go wrong, as one small tree.

    BattPassError
    ├── BadDocument            a document that cannot be read at all
    │   ├── NotJson            no JSON text, a duplicate member, nested too deep, wrong encoding
    │   ├── DocumentTooLarge
    │   ├── UnknownFormat      no registered format takes it
    │   ├── WrongVersion       a version of the format that is not read here
    │   └── Contradiction      a change gives a quantity two values at once
    ├── BadTable               a table of the ontology that does not load
    ├── UnknownTerm            an IRI or a label that the term lock does not hold
    ├── UnknownUnit            a unit that the unit table does not hold, or of another kind
    ├── QueryRefused           the guard stopped a query before it ran
    │   └── NotAcceptable      no format that the caller accepts fits the query
    ├── QueryFailed            the engine refused or lost a query
    │   ├── BadQuery           it cannot be read
    │   ├── DeadlineExceeded   it ran over its time
    │   └── PoolBusy           no worker was free in time
    ├── ProcessLost            a sealed process ended in the middle of its work
    ├── Overdue                a sealed process was not done in time
    ├── BadShapes              a shapes graph that is not SHACL, or asks for what is not run here
    ├── EngineFailed           the shapes could not be run to the end
    ├── NotFound               nothing here under that name
    ├── Archived               it was here, and has ceased to exist
    ├── Conflict               it changed since it was read, or stands there already
    ├── Unpublishable          a violation keeps a passport from being published
    │   └── Rejected           or from being kept at all, where that is the policy
    ├── NotWritable            nothing can be written at the moment; reading goes on
    │   ├── StorageFull        the disk is full
    │   ├── StorageFailed      the disk refuses or the journal is locked
    │   └── ClockJumped        the clock says what it cannot say
    ├── HomeInUse              another process writes to this folder
    └── DamagedHome            a file of the home is not what was written

Each message says what, where, and what to do next.
"""


class BattPassError(Exception):
    """Root of all errors that this product raises on purpose."""


class BadDocument(BattPassError):
    """A document cannot be read at all; nothing of it was kept."""


class NotJson(BadDocument):
    """The bytes are not one JSON document as RFC 8259 wants it."""


class DocumentTooLarge(BadDocument):
    """The document is over the size that is read here."""


class UnknownFormat(BadDocument):
    """No registered format takes the document, or the name given is none."""


class WrongVersion(BadDocument):
    """The document names a version of its format that is not read here."""


class Contradiction(BadDocument):
    """A change gives a quantity two values at once."""


class BadTable(BattPassError):
    """A table of the ontology (attributes, obligations, units, ...) does not load."""


class UnknownTerm(BattPassError):
    """An IRI, prefixed name or label that the term lock does not hold."""


class UnknownUnit(BattPassError):
    """A unit that the unit table does not hold, or of another kind than asked for."""


class QueryRefused(BattPassError):
    """The guard stopped a query before it ran."""


class NotAcceptable(QueryRefused):
    """None of the formats that the caller accepts fits the form of the query (HTTP: 406)."""


class QueryFailed(BattPassError):
    """The engine refused a query, or was lost while running it."""


class BadQuery(QueryFailed):
    """The engine cannot read the query: a syntax error, with line and column (HTTP: 400)."""


class DeadlineExceeded(QueryFailed):
    """A query ran over its deadline and its worker was ended."""


class PoolBusy(QueryFailed):
    """All workers were busy until the deadline; the query did not start (HTTP: 503 with Retry-After)."""


class ProcessLost(BattPassError):
    """A sealed process ended in the middle of its work; the message says how."""


class Overdue(BattPassError):
    """A sealed process was not done in time; it has been killed."""


class BadShapes(BattPassError):
    """A shapes graph is not SHACL, is recursive, or asks for what is not run here; nothing was validated."""


class EngineFailed(BattPassError):
    """The engine could not run the shapes to the end, so nothing is known of the data."""


class NotFound(BattPassError):
    """Nothing is kept here under that name."""


class Archived(BattPassError):
    """The passport has ceased to exist: its battery was recycled (HTTP: 410)."""


class Conflict(BattPassError):
    """What is to be changed is not what stands there; read it again (HTTP: 409, or 412 with If-Match)."""


class Unpublishable(BattPassError):
    """The validation report of a passport holds violations, so that it must not be published (HTTP: 422).

    `report` is that report, as JSON text.
    """

    def __init__(self, message: str, report: bytes = b"") -> None:
        super().__init__(message)
        self.report = report


class Rejected(Unpublishable):
    """The policy keeps nothing that has violations, or was not checked (HTTP: 422)."""


class NotWritable(BattPassError):
    """Nothing can be written at the moment, and nothing was; reading goes on (HTTP: 503 with Retry-After)."""


class StorageFull(NotWritable):
    """There is no room left on the disk (HTTP: 507)."""


class StorageFailed(NotWritable):
    """The disk refuses writes, or another program has the journal locked."""


class ClockJumped(NotWritable):
    """The clock stands before the last entry, or leapt ahead; entries would carry a wrong time."""


class HomeInUse(BattPassError):
    """Another process holds the home folder for writing."""


class DamagedHome(BattPassError):
    """A file of the home is not what was written there."""
