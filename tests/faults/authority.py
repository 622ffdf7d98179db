"""An authority that signs certificates, so that a test can serve over real TLS."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority of a test")])
        self.path = folder / "authority.pem"
        self.path.write_bytes(
            self._signed(self._name, self._key, days=2, authority=True).public_bytes(Encoding.PEM)
        )

    def _signed(
        self, name: x509.Name, key: Any, *, days: int, host: str = "", authority: bool = False
    ) -> Any:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
        # From Python 3.13 on all that RFC 5280 asks for has to be there.
        signs = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        for extension, critical in (
            (x509.BasicConstraints(ca=authority, path_length=None), True),
            (_usage(authority=authority), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (signs, False),
        ):
            made = made.add_extension(extension, critical=critical)
        if host:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return made.sign(self._key, hashes.SHA256())

    def context(self, folder: Path, host: str, *, days: int) -> ssl.SSLContext:
        """Return a server's context with a certificate for *host* that ends in *days*."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        signed = self._signed(name, key, days=days, host=host)
        path = folder / f"{host} {days}.pem"
        plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(key.private_bytes(*plain) + signed.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
