"""Clients that note every call and its outcome. The XenAPI module stays as it comes: only its transport listens."""

import collections
import contextlib
import http.client
import json
import re
import threading
import urllib.parse
import xmlrpc.client

import XenAPI


class CallLog:
    """Outcomes by message. A call for everybody's sake (`sweeping`) says nothing of what the message does."""

    def __init__(self):
        self.lock = threading.Lock()
        self.outcomes = collections.defaultdict(collections.Counter)
        self.errors = {}
        self.sweeping = False

    def note(self, method, error=None):
        """`error`: code and parameters; None for success."""
        name = method if "." in method else method.replace("_", ".", 1)
        with self.lock:
            if error:
                self.errors.setdefault((error[0], len(error) - 1), name)
            if not self.sweeping:
                self.outcomes[name][error[0] if error else "success"] += 1


LOG = CallLog()


def note_xml(request, answer):
    method = re.search(rb"<methodName>(.*?)</methodName>", request).group(1).decode()
    failed = isinstance(answer, dict) and answer.get("Status") == "Failure"
    LOG.note(method, answer["ErrorDescription"] if failed else None)


class NotingTransport(xmlrpc.client.Transport):
    def single_request(self, host, handler, request_body, verbose=False):
        answer = super().single_request(host, handler, request_body, verbose)
        note_xml(request_body, answer[0])
        return answer


def session(url, user="root", password="", originator="python-suite"):
    """The SDK's session, logged in."""
    made = XenAPI.Session(url, transport=NotingTransport())
    made.xenapi.login_with_password(user, password, "2.23", originator)
    return made


class Proxy:
    """Bare `xmlrpc.client`, as programs without the SDK use it: the session goes with every call, errors are values."""

    def __init__(self, url):
        self.server = xmlrpc.client.ServerProxy(url, transport=NotingTransport(), allow_none=True)

    def call(self, method, *parameters):
        """The value; raises XenAPI.Failure."""
        answer = getattr(self.server, method)(*parameters)
        if answer["Status"] != "Success":
            raise XenAPI.Failure(answer["ErrorDescription"])
        return answer["Value"]

    def close(self):
        self.server("close")()


class JSON:
    """JSON-RPC over one connection that is kept."""

    def __init__(self, url, version="2.0"):
        self.place = urllib.parse.urlparse(url).netloc
        self.version = version
        self.connection = http.client.HTTPConnection(self.place)
        self.number = 0

    def call(self, method, *parameters):
        """The result; raises XenAPI.Failure."""
        self.number += 1
        request = {"method": method, "params": list(parameters), "id": self.number}
        if self.version == "2.0":
            request["jsonrpc"] = "2.0"
        self.connection.request("POST", "/jsonrpc", json.dumps(request), {"Content-Type": "application/json"})
        with contextlib.closing(self.connection.getresponse()) as answer:
            body = json.loads(answer.read())
            assert answer.status == 200 and answer.headers["Content-Type"] == "application/json", answer.headers
        assert body["id"] == self.number, body
        error = body.get("error")
        if self.version == "2.0":
            assert body["jsonrpc"] == "2.0" and ("result" in body) != ("error" in body), body
            if error:
                assert error["code"] == 1, body
                error = [error["message"]] + error["data"]
        else:
            assert set(body) == {"result", "error", "id"}, body
        LOG.note(method, error)
        if error:
            raise XenAPI.Failure(error)
        return body["result"]

    def error(self, method, *parameters):
        """The error of a call as a list; None when it succeeds."""
        try:
            self.call(method, *parameters)
        except XenAPI.Failure as failure:
            return failure.details
        return None

    def close(self):
        self.connection.close()
