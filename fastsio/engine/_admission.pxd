"""A request for the Engine.IO path: a new session, a transport of an existing one, or a refusal."""
from fastsio._http cimport Exchange
from fastsio.engine._session cimport Session
from fastsio.engine.registry cimport Registry


cpdef Session admit(Registry registry, Exchange exchange)
