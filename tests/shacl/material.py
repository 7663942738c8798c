"""What random shapes and data are made of: terms, patterns, queries, declared constraint components."""

EX = "http://example.org/"
XSD = "http://www.w3.org/2001/XMLSchema#"
PREDICATES = ("ex:p", "ex:q", "ex:r", "ex:s")
NODES = ("ex:a", "ex:b", "ex:c", "ex:d", "ex:e", "_:x", "_:y")
IRIS = NODES[:5]
CLASSES = ("ex:A", "ex:B", "ex:C")
SUBCLASSES = ("ex:B rdfs:subClassOf ex:A .", "ex:C rdfs:subClassOf ex:B .", "ex:A rdfs:subClassOf ex:C .")

# Spellings that the store in which queries run does not keep: see `OWN` in `bugs`.
SPELT = ('"02"^^xsd:integer', '"2"^^xsd:float', '"1.50"^^xsd:decimal', '"1"^^xsd:boolean')
# It does not keep these either, which shows where a query asks for their text.
ANOTHER = ("2.0", "1.0e0", '"PT36H"', "+01:00")
INTEGERS = ("0", "1", "2", "5", "-3", SPELT[0])
NUMBERS = (*INTEGERS, "1.5", "2.0", "1.0e0", *SPELT[1:3])
LARGE = '"18446744073709551616"^^xsd:integer'
UNUSUAL = ('"NaN"^^xsd:double', '"INF"^^xsd:double', '"-INF"^^xsd:float', LARGE)
STRINGS = ('"a"', '"b"', '"abc"', '""', '"Abc"', '"2"', '"x y"', '"ä"', '"a\\nb"')
TAGGED = ('"a"@en', '"b"@en', '"a"@de', '"c"@en-GB', '"a"@fr', '"d"@EN')
DATES = (
    '"2020-01-01"^^xsd:date',
    '"2021-06-30"^^xsd:date',
    '"2020-01-01T00:00:00Z"^^xsd:dateTime',
    '"2020-01-01T12:00:00+01:00"^^xsd:dateTime',
    '"2020-01-01T12:00:00"^^xsd:dateTime',
)
CALENDAR = ('"12:00:00"^^xsd:time', '"2020"^^xsd:gYear', '"PT36H"^^xsd:duration', '"P1M"^^xsd:duration')
BOOLEANS = ("true", "false", SPELT[3])
ILL_TYPED = ('"aldi"^^xsd:integer', '"2020-13-01"^^xsd:date', '"yes"^^xsd:boolean', '"300"^^xsd:byte')
OTHERS = ('"x"^^ex:own', '"http://example.org/a"^^xsd:anyURI')
LITERALS = (*NUMBERS, *STRINGS, *TAGGED, *DATES, *BOOLEANS, *ILL_TYPED)
RARE = (*UNUSUAL, *CALENDAR, *OTHERS)
BOUNDS = (*NUMBERS[:8], *DATES, '"abc"', *CALENDAR, LARGE)

DATATYPES = (
    *(f"xsd:{name}" for name in ("integer", "decimal", "double", "float", "string", "date", "dateTime")),
    *(f"xsd:{name}" for name in ("boolean", "byte", "time", "duration", "gYear", "anyURI")),
    "rdf:langString",
    "ex:own",
)
PATTERNS = (
    '"^a"',
    '"b$"',
    '"^[a-c]+$"',
    '"[0-9]"',
    '"^.{2,3}$"',
    '"^ABC$" ; sh:flags "i"',
    '"^b$" ; sh:flags "m"',
    '"^a.b$" ; sh:flags "s"',
    '"x y"',
    '"x  y" ; sh:flags "x"',
    '"^(a|b)c?$"',
    '"\\\\d"',
    '"org/[ab]$"',
)
KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
RANGES = ('"en"', '"de" "fr"', '"en-GB"', '"EN"', '"*"')
SEVERITIES = ("sh:Warning", "sh:Info", "sh:Violation", "ex:Own")
MESSAGES = ('"Not so."', '"Not so."@en , "Nicht so."@de', '"Braces {$this} stay."')
NOISE = (
    'sh:name "n"@en',
    'sh:description "d"',
    "sh:order 1.5",
    "sh:group ex:g",
    "sh:defaultValue 5",
    "sh:deactivated false",
    'rdfs:label "l"',
)

QUERIES = (
    "SELECT $this ?value { $this ex:p ?value }",
    "SELECT $this ?value { $this ex:p ?value . FILTER(isLiteral(?value)) }",
    "SELECT $this { FILTER NOT EXISTS { $this ex:q ?any } }",
    "SELECT DISTINCT $this ?value { $this ex:p ?value ; ex:q ?other . FILTER(?value = ?other) }",
    "SELECT $this { $this ex:p ?x OPTIONAL { $this ex:q ?y } FILTER(!BOUND(?y)) }",
    "SELECT $this (COUNT(?x) AS ?count) { $this ex:p ?x } GROUP BY $this HAVING (COUNT(?x) > 1)",
    "SELECT $this ?value { { $this ex:p ?value } UNION { $this ex:q ?value } FILTER(isIRI(?value)) }",
    "SELECT $this ?value { ?value ex:p $this }",
    "SELECT $this ?value { $this ex:p ?value . FILTER EXISTS { $this ex:q ?value } }",
    "SELECT $this ?path ?value { $this ?path ?value . FILTER(?path IN (ex:p, ex:q)) }",
    "SELECT DISTINCT $this ?value { $this ex:p+ ?value . FILTER NOT EXISTS { ?value a ex:A } }",
    "SELECT DISTINCT $this ?value { $this ex:p/^ex:p ?value . FILTER(!sameTerm(?value, $this)) }",
    "SELECT DISTINCT $this ?value { $this (ex:p|ex:q) ?value FILTER(LANG(?value) = 'en') }",
    "SELECT $this ?value { $this ex:p ?value FILTER(REGEX(STR(?value), '^[a-c]')) }",
    f"SELECT $this ?value {{ $this ex:p ?value FILTER(DATATYPE(?value) = <{XSD}integer> && ?value > 1) }}",
    "SELECT DISTINCT $this ?value { $this ex:p ?x BIND(STRLEN(STR(?x)) AS ?value) FILTER(?value > 1) }",
    "SELECT $this ?message { $this a ex:B BIND('so' AS ?message) }",
    "SELECT $this ?value { $this ex:p ?value . FILTER(isIRI(?value)) } ORDER BY ?value LIMIT 1",
    """SELECT $this ?value { $this ex:q ?value
        { SELECT $this (COUNT(?x) AS ?many) { $this ex:p ?x } GROUP BY $this } FILTER(?many > 1) }""",
    "SELECT $this ?value { $this ex:p ?value FILTER(?value IN (ex:a, 'a', 5)) }",
    "SELECT $this { $this ex:p ?x FILTER(COALESCE(?x + 1 > 2, false)) }",
)
OF_PATHS = (
    "SELECT $this ?value { $this $PATH ?value . FILTER(isIRI(?value)) }",
    "SELECT DISTINCT $this ?value { $this $PATH ?value . FILTER NOT EXISTS { ?value ex:q ?any } }",
)
OF_SHAPES = """SELECT $this ?value { $this ex:p ?value
    FILTER EXISTS { GRAPH $shapesGraph { $currentShape sh:targetClass ?kind } } }"""

# Constraint components, by the name that draws them: what declares them, and what a shape says to use them.
COMPONENTS = {
    "ask": (
        """ex:MostComponent a sh:ConstraintComponent ; sh:parameter [ sh:path ex:most ] ; sh:validator [
            a sh:SPARQLAskValidator ; sh:message "more than {$most}" ;
            sh:ask "ASK { FILTER(!isNumeric($value) || $value <= $most) }" ] .""",
        ("ex:most 1", "ex:most 0", "ex:most 2.5", "ex:most 1 , 5"),
    ),
    "select": (
        """ex:WithComponent a sh:ConstraintComponent ; sh:parameter [ sh:path ex:with ] ,
            [ sh:path ex:also ; sh:optional true ] ;
            sh:nodeValidator [ a sh:SPARQLSelectValidator ; sh:prefixes ex: ;
                sh:select "SELECT DISTINCT $this ?value { $this $with ?value . FILTER(isIRI(?value)) }" ] ;
            sh:propertyValidator [ a sh:SPARQLSelectValidator ; sh:prefixes ex: ;
                sh:select '''SELECT DISTINCT $this ?value { $this $PATH ?value . FILTER(isIRI(?value))
                    FILTER NOT EXISTS { ?value $with ?any } FILTER(!bound($also) || $also = 1) }''' ] .""",
        ("ex:with ex:p", "ex:with ex:q ; ex:also 1", "ex:with ex:r ; ex:also 2"),
    ),
}
PREFIXES = " ".join(
    f'ex: sh:declare [ sh:prefix "{prefix}" ; sh:namespace "{space}"^^xsd:anyURI ] .'
    for prefix, space in (("ex", EX), ("sh", "http://www.w3.org/ns/shacl#"))
)
