"""The lab twin as an OPC UA server that lets in only whom it knows, over channels that others cannot read."""

from __future__ import annotations

from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.ua import SecurityPolicyType
from cryptography.x509.oid import ExtendedKeyUsageOID

from titrant_adapters.twin.doors.opcua import OpcUaDoor

CLIENT, SERVER = "urn:titrant:test:client", "urn:titrant:test:server"


class Doorman:
    """Lets one person in."""

    def get_user(self, _server, username=None, password=None, certificate=None):
        known = (username, password) == ("kim", "sesame")
        return User(role=UserRole.User) if known else None


async def certified(folder, name, uri=CLIENT):
    """A key and a certificate that it signs itself; their paths."""
    key, certificate = folder / f"{name}.pem", folder / f"{name}.der"
    use = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(key, certificate, uri, "localhost", use, {"commonName": name})
    return str(key), str(certificate)


class SecureDoor(OpcUaDoor):
    """Basic256Sha256, signed or encrypted; certificates of a folder, and one user."""

    def __init__(self, *given, folder, **more):
        super().__init__(*given, **more)
        self._folder = folder

    async def make_server(self, asyncua):
        server = asyncua.Server(user_manager=Doorman())
        await server.init()
        await server.set_application_uri(SERVER)
        key, certificate = await certified(self._folder, "server", SERVER)
        await server.load_certificate(certificate)
        await server.load_private_key(key)
        trusted = TrustStore([self._folder / "trusted"], [])
        await trusted.load()
        options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
        server.set_certificate_validator(CertificateValidator(options, trusted))
        server.set_security_policy(
            [SecurityPolicyType.Basic256Sha256_SignAndEncrypt, SecurityPolicyType.Basic256Sha256_Sign]
        )
        return server
