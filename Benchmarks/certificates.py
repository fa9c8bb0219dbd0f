"""An authority and what both ends of a connection need of it, in the names that QEMU, libnbd and gantry look for."""
import os
import subprocess


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(folder):
    os.mkdir(folder, 0o700)
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=benchmark", "-keyout", "ca-key.pem", "-out", "ca-cert.pem")
    for end in ("server", "client"):
        with open(f"{folder}/{end}.ext", "w") as extensions:
            extensions.write(f"subjectAltName=DNS:localhost\nkeyUsage=digitalSignature\nextendedKeyUsage={end}Auth\n")
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=localhost", "-keyout", f"{end}-key.pem", "-out", f"{end}.csr")
        openssl(folder, "x509", "-req", "-days", "2", "-in", f"{end}.csr", "-CA", "ca-cert.pem", "-CAkey", "ca-key.pem",
                "-CAcreateserial", "-extfile", f"{end}.ext", "-out", f"{end}-cert.pem")
    return folder
