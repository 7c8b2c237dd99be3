"""The way of a request, in order. Each stage has a file of its own; this one does nothing else.

The order is code, never configuration. Leaving holds no `await`: nothing can interrupt the closing of an exchange.
"""

from asyncio import CancelledError

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InternalError, Problem
from clavero.gateway.authenticate import authenticate
from clavero.gateway.authorize import authorize
from clavero.gateway.call import call
from clavero.gateway.models import models
from clavero.gateway.plugs import Plugs
from clavero.gateway.record import record
from clavero.gateway.route import route
from clavero.gateway.trail import Trail
from clavero.ports.client import Client, Request
from clavero.wire.ask import READERS
from clavero.wire.body import decode


async def exchange(request: Request, client: Client, endpoint: Endpoint, plugs: Plugs) -> None:
    """Carry one request; leaving records it, whoever left first."""
    trail = Trail(request, client, endpoint)
    plugs.under_way.add(trail)
    try:
        trail.grant, trail.version = authenticate(request, plugs.view, plugs.fingerprints, plugs.clock)
        if endpoint is Endpoint.MODELS:
            trail.reply = models(trail, plugs.view)
        else:
            ask = trail.ask = READERS[endpoint](decode(request.body))
            trail.feature = authorize(ask, trail.grant, request.headers)
            trail.targets = route(ask, trail.grant, plugs.view)
            await call(trail, ask, plugs)  # reserves, calls and settles each leg
    except Problem as problem:
        trail.problem = problem
    except CancelledError:
        trail.left = True
        raise
    except Exception as error:  # noqa: BLE001 - the rim of the data plane: no fault of ours may hang a caller
        trail.problem = InternalError(id=request.id)
        plugs.report(error, request.id)
    finally:
        plugs.under_way.discard(trail)
        record(trail, plugs)
