"""A scheme with settings like another's."""

from __future__ import annotations

from typing import Any

from edgeauth.schemes.alibaba_oss import AlibabaOssScheme


def like(scheme: AlibabaOssScheme, keys: Any = None, **options: Any) -> AlibabaOssScheme:  # noqa: ANN401
    """*scheme* with other *keys*, if there are any, and other *options*."""
    own: dict[str, Any] = {
        "bucket": scheme.bucket,
        "version": scheme.version,
        "max_skew": scheme.max_skew,
        "resource_path": scheme.resource_path,
    }
    if scheme.version == "v4":
        own |= {"region": scheme.region, "require_additional": scheme.require_additional}
    else:
        own |= {"sub_resources": scheme.sub_resources}
    return AlibabaOssScheme(scheme.keys if keys is None else keys, **{**own, **options})
