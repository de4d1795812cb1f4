"""Signed and encrypted channels: who we are, whom we trust, and how the line is kept from others."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from titrant_adapters.shape import Secret, bad, library


class Security(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel that is signed, or signed and encrypted.  Files that end with .pem are read as PEM, others as DER.

    Attributes:
        certificate: A file with our own certificate; the server has to trust it.
        private_key: A file with the key to it.
        private_key_password: What opens that file, if it is closed.
        server_certificate: A file with the server's certificate: it is trusted, and no other.
        mode: ``"encrypt"``, or ``"sign"`` where anybody may read along.
        policy: The security policy, by its name in the standard.
    """

    certificate: str
    private_key: str
    private_key_password: Secret | None = None
    server_certificate: str
    mode: Literal["encrypt", "sign"] = "encrypt"
    policy: Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = "Basic256Sha256"


async def secure(client: Any, security: Security) -> None:
    """Let a client of asyncua, before it connects, ask for a channel that is kept from others.

    Raises:
        ConfigurationError: A file cannot be read, or is none of what it should be.
    """
    policies, ua = library("asyncua.crypto.security_policies", "opcua"), library("asyncua.ua", "opcua")
    own = await _certificate("certificate", security.certificate)
    # The server compares the name that we give of ourselves with the one in our certificate.
    client.application_uri = _uri(own, security.certificate)
    await _is_offered(client, security, ua)
    password = security.private_key_password.reveal() if security.private_key_password else None
    uacrypto = library("asyncua.crypto.uacrypto", "opcua")
    try:
        key = await uacrypto.load_private_key(security.private_key, password)
    except (OSError, ValueError, TypeError) as exc:  # whatever the library for keys does not like
        raise bad("private_key", security.private_key, f"it cannot be read, or its password is another: {exc}") from exc
    if key.public_key() != own.public_key():
        raise bad("private_key", security.private_key, f"it is not the key to {security.certificate}")
    await client.set_security(
        getattr(policies, f"SecurityPolicy{security.policy}"),
        certificate=security.certificate,
        private_key=security.private_key,
        private_key_password=password,
        server_certificate=security.server_certificate,
        mode=_mode(security, ua),
    )


async def _is_offered(client: Any, security: Security, ua: Any) -> None:
    """Ask, in the open, what the server offers: on a channel that it cannot read, it would just stay silent.

    Raises:
        ConfigurationError: Another policy, or it shows another certificate.
    """
    trusted = await _certificate("server_certificate", security.server_certificate)
    offered = {
        (one.SecurityPolicyUri.rpartition("#")[2], one.SecurityMode): one.ServerCertificate
        for one in await client.connect_and_get_server_endpoints()
    }
    shown = offered.get((security.policy, _mode(security, ua)))
    if shown is None:
        there = ", ".join(f"{policy} ({mode.name})" for policy, mode in offered)
        raise bad("policy", f"{security.policy}, {security.mode}", f"the server offers {there}")
    uacrypto = library("asyncua.crypto.uacrypto", "opcua")
    if uacrypto.der_from_x509(uacrypto.x509_from_der(shown)) != uacrypto.der_from_x509(trusted):
        raise bad("server_certificate", security.server_certificate, "the server shows another: is it the right one?")


def _mode(security: Security, ua: Any) -> Any:
    modes = ua.MessageSecurityMode
    return modes.SignAndEncrypt if security.mode == "encrypt" else modes.Sign


async def _certificate(field: str, path: str) -> Any:
    try:
        return await library("asyncua.crypto.uacrypto", "opcua").load_certificate(path)
    except (OSError, ValueError) as exc:
        raise bad(field, path, f"it cannot be read as a certificate: {exc}") from exc


def _uri(certificate: Any, path: str) -> str:
    x509 = library("cryptography.x509", "opcua")
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = None
    found = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    if not found:
        raise bad("certificate", path, "it has no URI among its alternative names, which OPC UA wants: make another")
    return str(found[0])
