"""What TLS needs for a plan.

May import: `plan`. Never opens a connection.
"""

import ssl

from fastsio.load.plan import Plan


def tls_context(plan: Plan) -> ssl.SSLContext | None:
    """Give the settings of TLS, None for a plan that goes without."""
    if not plan.target.secure:
        return None
    context = ssl.create_default_context()
    if not plan.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
