"""What a status code of OPC UA, or another error of asyncua, means for a trial."""

from __future__ import annotations

from titrant_adapters.shape.outcomes import Meaning

REFUSED = (
    "BadInvalidState BadStateNotActive BadResourceUnavailable BadOutOfService BadLocked BadRequiresLock "
    "BadRequestNotAllowed BadTooManyOperations BadTooManySessions BadServerTooBusy BadTcpServerTooBusy "
    "BadTcpNotEnoughResources BadMaxConnectionsReached BadTransactionPending BadRefreshInProgress"
)
"""Not now: nothing was done."""

UNKNOWN = (
    "BadUnexpectedError BadInternalError BadOutOfMemory BadCommunicationError BadEncodingError BadDecodingError "
    "BadUnknownResponse BadTimeout BadShutdown BadServerNotConnected BadServerHalted BadSecureChannelIdInvalid "
    "BadNonceInvalid BadSessionIdInvalid BadSessionClosed BadSessionNotActivated BadRequestHeaderInvalid "
    "BadInvalidTimestamp BadRequestCancelledByClient BadRequestCancelledByRequest BadNoCommunication "
    "BadTcpMessageTypeInvalid BadTcpSecureChannelUnknown BadTcpInternalError BadRequestInterrupted BadRequestTimeout "
    "BadSecureChannelClosed BadSecureChannelTokenUnknown BadSequenceNumberInvalid BadNotConnected "
    "BadConnectionRejected BadDisconnect BadConnectionClosed BadEndOfStream BadOperationAbandoned BadWouldBlock "
    "BadWaitingForResponse BadRequestNotComplete"
)
"""The line broke, or the server did in the middle of it (BadUnexpectedError is what a method that crashed gives)."""

MISCONFIGURED = (
    "BadServiceUnsupported BadSecurityChecksFailed BadSecurityModeRejected BadSecurityModeInsufficient "
    "BadSecurityPolicyRejected BadCertificateInvalid BadCertificatePolicyCheckFailed BadCertificateTimeInvalid "
    "BadCertificateHostNameInvalid BadCertificateUriInvalid BadCertificateUseNotAllowed BadCertificateUntrusted "
    "BadCertificateRevoked BadCertificateChainIncomplete BadNoValidCertificates BadUserAccessDenied "
    "BadUserSignatureInvalid BadIdentityTokenInvalid BadIdentityTokenRejected BadProtocolVersionUnsupported "
    "BadTcpEndpointUrlInvalid BadLicenseExpired BadLicenseLimitsExceeded BadLicenseNotAvailable BadNodeIdInvalid "
    "BadNodeIdUnknown BadAttributeIdInvalid BadNotReadable BadNotWritable BadWriteNotSupported BadTypeMismatch "
    "BadMethodInvalid BadNotExecutable BadArgumentsMissing BadTooManyArguments BadNoMatch BadDataTypeIdUnknown"
)
"""Asking again would be answered the same."""

MEANINGS: dict[str, Meaning] = {
    "asyncua.ua.uaerrors.UaError": "unknown",  # a reply that cannot be understood, a socket that was closed
    "asyncua.ua.uaerrors.UaStatusCodeError": "failed",  # an answer, and not a good one
    **{f"asyncua.ua.uaerrors.{name}": "refused" for name in REFUSED.split()},
    **{f"asyncua.ua.uaerrors.{name}": "unknown" for name in UNKNOWN.split()},
    **{f"asyncua.ua.uaerrors.{name}": "misconfigured" for name in MISCONFIGURED.split()},
}
