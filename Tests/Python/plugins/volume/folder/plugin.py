#!/usr/bin/env python3
"""A complete SMAPIv3 volume plugin: an SR is a folder, a volume two files in it.

One program for all methods: each `<Interface>.<method>` beside it is a link to it. It is run as `<script> --json`, reads
the named arguments as a JSON object from standard input, and prints the bare JSON result; an error is an object with
`code` and `params`, and a non-zero exit.

`KEY.json` says what the volume is, `KEY.FORMAT` is its image. The `.json` file is written last and removed first: a
volume is there when its `.json` is.
"""

import json
import os
import subprocess
import sys
import uuid

FORMATS = ["qcow2", "raw"]


class Failure(Exception):
    def __init__(self, code, *params):
        super().__init__(code)
        self.code, self.params = code, [str(p) for p in params]


class Plugin:
    def query(self, dbg):
        return {
            "plugin": "folder", "name": "Folder", "description": "Volumes in a folder", "vendor": "Gantry",
            "copyright": "none", "version": "1.0", "required_api_version": "5.0",
            # VDI_IMAGE_FORMAT: Volume.create takes the optional argument image_format.
            "features": ["VDI_MIRROR", "VDI_REVERT", "THIN_PROVISIONING", "VDI_IMAGE_FORMAT",
                         "VDI_RESIZE_ONLINE"],
            "supported_image_formats": FORMATS,
            "configuration": {"location": "absolute path of the folder"}, "required_cluster_stack": [],
        }

    def diagnostics(self, dbg):
        return ""

    def ls(self, dbg):
        return []


class SR:
    def probe(self, dbg, configuration):
        folder = location(configuration)
        about = os.path.join(folder, "sr.json")
        if not os.path.exists(about):
            found = {"configuration": configuration, "complete": True, "extra_info": {}}
            return [found] if os.path.isdir(folder) else []
        state = self.stat(dbg, folder)
        return [{
            "configuration": {**configuration, "sr_uuid": state["uuid"]}, "complete": True, "sr": state,
            "extra_info": {},
        }]

    def create(self, dbg, uuid, configuration, name, description):
        folder = location(configuration)
        if not os.path.isdir(folder):
            raise Failure("SR_BACKEND_FAILURE_47", "", "there is no folder %s" % folder, "")
        if os.path.exists(os.path.join(folder, "sr.json")):
            raise Failure("SR_BACKEND_FAILURE_42", "", "there is an SR in %s" % folder, "")
        write(os.path.join(folder, "sr.json"), {"uuid": uuid, "name": name, "description": description})
        return {"location": folder}

    def attach(self, dbg, configuration):
        folder = location(configuration)
        if not os.path.exists(os.path.join(folder, "sr.json")):
            raise Failure("SR_does_not_exist", folder)
        return folder

    def detach(self, dbg, sr):
        pass

    def destroy(self, dbg, sr):
        os.unlink(os.path.join(sr, "sr.json"))

    def stat(self, dbg, sr):
        about, space = self.about(sr), os.statvfs(sr)
        return {
            "sr": sr, "name": about["name"], "uuid": about["uuid"], "description": about["description"],
            "free_space": space.f_bavail * space.f_frsize, "total_space": space.f_blocks * space.f_frsize,
            "datasources": self.data_sources(sr), "clustered": False, "health": self.health(sr),
        }

    def data_sources(self, sr):
        """Names of the pages in shared memory that tell what is measured of the SR: those in the file `datasources`."""
        try:
            with open(os.path.join(sr, "datasources")) as file:
                return ["xeno+shm:///" + name for name in file.read().split()]
        except FileNotFoundError:
            return []

    def health(self, sr):
        """As the file `health` says, where there is one: `Recovering: some advice`."""
        try:
            with open(os.path.join(sr, "health")) as file:
                return file.read().split(": ", 1)
        except FileNotFoundError:
            return ["Healthy", ""]

    def about(self, sr):
        try:
            return read(os.path.join(sr, "sr.json"))
        except FileNotFoundError:
            raise Failure("Sr_not_attached", sr)

    def set_name(self, dbg, sr, new_name):
        write(os.path.join(sr, "sr.json"), {**self.about(sr), "name": new_name})

    def set_description(self, dbg, sr, new_description):
        write(os.path.join(sr, "sr.json"), {**self.about(sr), "description": new_description})

    def ls(self, dbg, sr):
        self.about(sr)
        keys = [name[:-5] for name in sorted(os.listdir(sr)) if name.endswith(".json") and name != "sr.json"]
        return [Volume().stat(dbg, sr, key) for key in keys]


class Volume:
    def create(self, dbg, sr, name, description, size, sharable, image_format=None):
        return self.make(sr, image_format or FORMATS[0], name, description, lambda path, kind: run(
            "qemu-img", "create", "-q", "-f", kind, path, str((size + 511) // 512 * 512)))

    def make(self, sr, kind, name, description, fill, **more):
        key = str(uuid.uuid4())
        image = os.path.join(sr, "%s.%s" % (key, kind))
        try:
            fill(image, kind)
            sync(image)
            write(os.path.join(sr, key + ".json"), {
                "name": name, "description": description, "format": kind, "keys": {}, "read_write": True, **more,
            })
        except BaseException:
            if os.path.exists(image):
                os.unlink(image)
            raise
        return self.stat(None, sr, key)

    def copy_of(self, sr, key, **more):
        about = self.about(sr, key)
        origin = self.image(sr, key, about)
        return self.make(
            sr, about["format"], about["name"], about["description"],
            lambda path, kind: run("cp", "--reflink=auto", "--sparse=always", origin, path), **more)

    def snapshot(self, dbg, sr, key):
        return self.copy_of(sr, key, read_write=False)

    def clone(self, dbg, sr, key):
        return self.copy_of(sr, key)

    def revert(self, dbg, sr, snapshot, key):
        origin = self.image(sr, snapshot, self.about(sr, snapshot))
        image = self.image(sr, key, self.about(sr, key))
        run("cp", "--reflink=auto", "--sparse=always", origin, image + ".new")
        sync(image + ".new")
        os.rename(image + ".new", image)

    def destroy(self, dbg, sr, key):
        image = self.image(sr, key, self.about(sr, key))
        os.unlink(os.path.join(sr, key + ".json"))
        os.unlink(image)

    def resize(self, dbg, sr, key, new_size):
        about = self.about(sr, key)
        run("qemu-img", "resize", "-q", "-f", about["format"], self.image(sr, key, about), str(new_size))

    def stat(self, dbg, sr, key):
        about = self.about(sr, key)
        image = self.image(sr, key, about)
        info = json.loads(run("qemu-img", "info", "-U", "--output=json", "-f", about["format"], image))
        return {
            "key": key, "uuid": key, "name": about["name"], "description": about["description"],
            "read_write": about["read_write"], "sharable": False, "virtual_size": info["virtual-size"],
            "physical_utilisation": os.stat(image).st_blocks * 512, "keys": about["keys"],
            "uri": ["%s://%s?%s" % (scheme, image, about["format"]) for scheme in self.schemes(sr)],
        }

    def schemes(self, sr):
        """Where there is a file `scratch`, there is a second one."""
        return ["nbdfile"] + ["nbdscratch"] * os.path.exists(os.path.join(sr, "scratch"))

    def set(self, dbg, sr, key, k, v):
        about = self.about(sr, key)
        about["keys"][k] = v
        self.store(sr, key, about)

    def unset(self, dbg, sr, key, k):
        about = self.about(sr, key)
        about["keys"].pop(k, None)
        self.store(sr, key, about)

    def set_name(self, dbg, sr, key, new_name):
        self.store(sr, key, {**self.about(sr, key), "name": new_name})

    def set_description(self, dbg, sr, key, new_description):
        self.store(sr, key, {**self.about(sr, key), "description": new_description})

    def about(self, sr, key):
        try:
            return read(os.path.join(sr, os.path.basename(key) + ".json"))
        except FileNotFoundError:
            raise Failure("Volume_does_not_exist", key)

    def store(self, sr, key, about):
        write(os.path.join(sr, key + ".json"), about)

    def image(self, sr, key, about):
        return os.path.join(sr, "%s.%s" % (key, about["format"]))


def location(configuration):
    if not os.path.isabs(configuration.get("location", "")):
        raise Failure("SR_BACKEND_FAILURE_94", "", "device_config:location is missing or no absolute path", "")
    return configuration["location"]


def read(path):
    with open(path) as file:
        return json.load(file)


def write(path, value):
    """The whole file, durable, or none of it."""
    with open(path + ".new", "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    sync(os.path.dirname(path))


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def run(*words):
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        raise Failure("SR_BACKEND_FAILURE_202", "", "%s failed: %s" % (words[0], error.stderr.strip()), "")


def main():
    interface, method = os.path.basename(sys.argv[0]).split(".")
    implementation = {"Plugin": Plugin, "SR": SR, "Volume": Volume}[interface]()
    try:
        print(json.dumps(getattr(implementation, method.lower())(**json.load(sys.stdin))))
    except Failure as failure:
        backtrace = {"error": str(failure), "files": [], "lines": []}
        print(json.dumps({"code": failure.code, "params": failure.params, "backtrace": backtrace}))
        sys.exit(1)


if __name__ == "__main__":
    main()
