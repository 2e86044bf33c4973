"""Judges lowered documents by openapi-spec-validator.

lowered.py CORPUS LOWERED

CORPUS has documents as they were given; LOWERED has, under the same name with `.json` after it, what lowering made of each that it did
not refuse, and the project's own document as `own.json`.

A document of the corpus may be wrong on purpose. So the rule is: what the validator accepts as it was given, it accepts lowered, as
OpenAPI 3.0. The project's own document has to be accepted in any case.
"""

import json
import pathlib
import sys

import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

# Fewer say that something is wrong with the validator, or with the corpus.
FEWEST = 20


class Loader(yaml.SafeLoader):
    """Reads time stamps as text, which is what they are in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def text_keys(value):
    """Keys such as `200` as text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): text_keys(member) for key, member in value.items()}
    if isinstance(value, list):
        return [text_keys(item) for item in value]
    return value


def complaint(document):
    """The first complaint about a document, None if there is none."""
    version = str(document.get("openapi", ""))
    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    try:
        for error in validator(document).iter_errors():
            return f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
    except Exception as error:  # the validator gives up on some documents by an exception of its own
        return f"{type(error).__name__}: {error}"
    return None


def main(corpus, lowered):
    own = complaint(json.loads((lowered / "own.json").read_text()))
    failed = [f"the project's own document: {own}"] if own else []
    judged, refused, invalid = 1, 0, 0
    for given in sorted(corpus.iterdir()):
        if given.suffix not in (".yaml", ".json"):
            continue
        made = lowered / f"{given.name}.json"
        if not made.exists():
            # What it was refused for is stated beside it in the corpus, and tested.
            refused += 1
            continue
        if complaint(text_keys(yaml.load(given.read_text(), Loader))) is not None:
            invalid += 1
            continue
        judged += 1
        document = json.loads(made.read_text())
        if document["openapi"] != "3.0.3":
            failed.append(f"{given.name}: openapi is {document['openapi']}")
        if (found := complaint(document)) is not None:
            failed.append(f"{given.name}: {found}")
    if judged < FEWEST:
        failed.append(f"only {judged} documents could be judged")
    if failed:
        sys.exit("\n".join(failed))
    print(f"{judged} documents valid as OpenAPI 3.0; left out: {refused} refused, {invalid} not valid as given")


main(*map(pathlib.Path, sys.argv[1:]))
