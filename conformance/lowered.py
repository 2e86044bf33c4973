"""Judges what `cargo xtask lower` writes by openapi-spec-validator.

A document of the corpus may be wrong on purpose. So the rule is: what the validator accepts as it was given, it accepts
lowered, as OpenAPI 3.0. The project's own document has to be accepted in any case.
"""

import json
import pathlib
import subprocess
import sys

import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator


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


def lower(arguments):
    """The lowered document, None if it is refused."""
    run = subprocess.run(["target/debug/xtask", "lower", *arguments], capture_output=True, text=True)
    return json.loads(run.stdout) if run.returncode == 0 else None


def main():
    judged, skipped, failed = 0, [], []
    own = lower([])
    if own is None or (found := complaint(own)) is not None:
        failed.append(f"the project's own document: {found if own else 'refused'}")
    for path in sorted(pathlib.Path("crates/codegen/corpus").iterdir()):
        if path.suffix not in (".yaml", ".json"):
            continue
        lowered = lower(["--spec", str(path), "--no-overlay"])
        if lowered is None:
            # Refused, which the outcome beside it states.
            skipped.append(f"{path.name} (refused)")
            continue
        if complaint(text_keys(yaml.load(path.read_text(), Loader))) is not None:
            skipped.append(f"{path.name} (not valid as it is given)")
            continue
        judged += 1
        if lowered["openapi"] != "3.0.3":
            failed.append(f"{path.name}: openapi is {lowered['openapi']}")
        if (found := complaint(lowered)) is not None:
            failed.append(f"{path.name}: {found}")
    print(f"{judged} lowered documents judged; not judged: {', '.join(skipped)}")
    for line in failed:
        print(line, file=sys.stderr)
    sys.exit(1 if failed or judged < 20 else 0)


main()
