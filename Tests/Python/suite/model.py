"""The datamodel as the programs of this build tell it, and what its types look like on the wire."""

import json
import re
import subprocess
import xmlrpc.client

NOWHERE = "OpaqueRef:nowhere"
DATE = re.compile(r"^\d{8}T\d\d:\d\d:\d\dZ$")
ROLES = ["read-only", "vm-operator", "vm-admin", "vm-power-admin", "pool-operator", "pool-admin"]


class Type:
    """A type of the API: `kind`, and what it is made of."""

    def __init__(self, text):
        self.text = text
        self.parts = []
        if text.endswith(" set"):
            self.kind, self.parts = "set", [Type(text[:-4])]
        elif text.endswith(" option"):
            self.kind, self.parts = "option", [Type(text[:-7])]
        elif text.startswith("(") and text.endswith(") map"):
            key, value = self._halves(text[1:-5])
            self.kind, self.parts = "map", [Type(key), Type(value)]
        elif text.endswith(" ref"):
            self.kind, self.name = "ref", text[:-4]
        elif text.endswith(" record"):
            self.kind, self.name = "record", text[:-7]
        elif text.startswith("enum "):
            self.kind, self.name = "enum", text[5:]
        else:
            self.kind = text

    @staticmethod
    def _halves(text):
        depth = 0
        for index, letter in enumerate(text):
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and text.startswith(" -> ", index):
                return text[:index], text[index + 4 :]
        raise ValueError(text)


class Field:
    def __init__(self, declared):
        self.name = declared["name"]
        self.type = Type(declared["type"])
        self.column = declared["column"]
        self.qualifier = declared["qualifier"]
        self.is_internal = declared.get("internal", False)
        self.has_default = "default" in declared
        self.default = declared.get("default")
        self.key_roles = declared.get("keyRoles", {})


class Message:
    def __init__(self, class_name, declared, coverage):
        self.class_name = class_name
        self.short = declared["name"]
        self.name = "%s.%s" % (class_name, self.short)
        self.kind = declared["kind"]
        self.text = declared.get("text", "")
        self.parameters = [(p["name"], Type(p["type"]), "default" in p) for p in declared["parameters"]]
        self.result = Type(declared["result"])
        self.role = declared["role"].split("+")[0]
        self.key_roles = declared.get("keyRoles", {})
        self.is_async = declared.get("asynchronous", False)
        self.needs_session = declared.get("session", True)
        self.is_pool_internal = declared.get("poolInternal", False)
        self.errors = declared.get("errors", [])
        # Also what is implied by a removed field or class.
        self.is_removed = declared["lifecycle"]["state"] == "removed"
        self.coverage = coverage[self.name]

    @property
    def required(self):
        return sum(1 for _, _, has_default in self.parameters if not has_default)

    @property
    def is_exact(self):
        return self.required == len(self.parameters)

    @property
    def object_class(self):
        """The class of the object that the first argument names; None for others."""
        return self.parameters[0][1].name if self.parameters and self.parameters[0][1].kind == "ref" else None


class Class:
    def __init__(self, declared, coverage):
        self.name = declared["name"]
        self.in_database = declared["database"]
        self.has_events = declared["events"]
        self.has_get_all = declared["getAll"]
        self.fields = [f for f in map(Field, declared["fields"]) if not f.is_internal]
        self.messages = [Message(self.name, m, coverage) for m in declared["messages"]]
        self.by_name = {m.short: m for m in self.messages}

    @property
    def creation_fields(self):
        return [f for f in self.fields if f.qualifier != "DynamicRO"]


class Model:
    def __init__(self, programs):
        described = json.loads(subprocess.check_output([programs / "datamodel-gen", "json"]))
        coverage = json.loads(subprocess.check_output([programs / "gantryd", "messages"]))
        self.classes = {c["name"]: Class(c, coverage) for c in described["classes"]}
        self.enums = described["enums"]
        self.errors = {e["code"]: e["parameters"] for e in described["errors"]}
        self.messages = {m.name: m for c in self.classes.values() for m in c.messages}

    def is_implemented(self, name):
        return name in self.messages and self.messages[name].coverage == "implemented"

    # Values on the wire. `json`: of JSON-RPC, else of XML-RPC as Python's library shows it.

    def problem(self, value, kind, json=False):
        """Why the value is not of the type; None when it is."""
        name = kind.kind
        if name == "option":
            return self.problem(value, kind.parts[0], json)
        if name == "set":
            if not isinstance(value, list):
                return "%r is no list" % (value,)
            return next(filter(None, (self.problem(v, kind.parts[0], json) for v in value)), None)
        if name == "map":
            if not isinstance(value, dict):
                return "%r is no struct" % (value,)
            # The names of members are text, whatever the type of the key.
            keys = kind.parts[0]
            bad = [k for k in value if keys.kind == "int" and not re.fullmatch(r"-?\d+", k)]
            if bad:
                return "%r is no number" % bad[0]
            return next(filter(None, (self.problem(v, kind.parts[1], json) for v in value.values())), None)
        if name == "record":
            return self.record_problem(value, self.classes[kind.name], json)
        return None if self._fits(value, kind, json) else "%r is no %s" % (value, kind.text)

    def _fits(self, value, kind, json):
        name = kind.kind
        if name == "bool":
            return isinstance(value, bool)
        if name == "float":
            return isinstance(value, float) or (json and type(value) is int)
        if name == "int":
            return type(value) is int if json else isinstance(value, str) and re.fullmatch(r"-?\d+", value)
        if name == "datetime":
            if not json and not isinstance(value, xmlrpc.client.DateTime):
                return False
            return DATE.match(value if json else value.value)
        if not isinstance(value, str):
            return False
        if name == "enum":
            return value in self.enums[kind.name]
        if name == "ref":
            return value.startswith(("OpaqueRef:", "DummyRef:"))
        return value == "" if name == "void" else name == "string"

    def record_problem(self, record, declared, json=False):
        if not isinstance(record, dict):
            return "%r is no record" % (record,)
        names = [f.name for f in declared.fields if f.type.kind != "option" or f.name in record]
        if list(record) != names:
            return "the members are %s and not %s" % (list(record), names)
        for field in declared.fields:
            if field.name in record:
                found = self.problem(record[field.name], field.type, json)
                if found:
                    return "%s: %s" % (field.name, found)
        return None

    def sample(self, kind, json=False):
        """A value of the type that names no object."""
        name = kind.kind
        if name == "option":
            return self.sample(kind.parts[0], json)
        if name in ("set", "map"):
            return [] if name == "set" else {}
        if name == "record":
            fields = self.classes[kind.name].creation_fields
            return {f.name: self.sample(f.type, json) for f in fields if not f.has_default}
        if name == "datetime":
            return "20250102T03:04:05Z" if json else xmlrpc.client.DateTime("20250102T03:04:05Z")
        if name == "enum":
            return self.enums[kind.name][0]
        return {"string": "x", "int": 7 if json else "7", "bool": False, "float": 0.5, "ref": NOWHERE}[name]

    def arguments(self, message, json=False):
        return [self.sample(kind, json) for _, kind, _ in message.parameters]


def column_text(value, kind):
    """A value of a record as queries see it."""
    name = kind.kind
    if name == "bool":
        return "true" if value else "false"
    if name == "datetime":
        return value.value
    if name == "float":
        return None
    if name == "set":
        return "(%s)" % " ".join("'%s'" % column_text(v, kind.parts[0]) for v in value)
    if name == "map":
        return "(%s)" % " ".join("('%s' '%s')" % (k, column_text(v, kind.parts[1])) for k, v in sorted(value.items()))
    return value
