"""Who a run belongs to: a login, a Hugging Face account, an anonymous browser or a program, told apart by the beginning of the name.

The name is stored with the run. A login keeps its bare name, as in earlier versions; the others begin with what
they are, so that nobody gets a login's runs by calling themselves as it is called.
"""

import ipaddress

_KINDS = ("visitor:", "api:", "login:", "huggingface:")


class Owner(str):
    """The name under which runs are counted and kept, and the network address that the request came from.

    Only limits look at the address; it is not stored. Empty for a login, and where there is none, as on the
    command line.
    """

    address: str

    def __new__(cls, name: str, *, address: str = "") -> "Owner":
        owner = super().__new__(cls, name)
        owner.address = address
        return owner


def login_owner(username: str) -> Owner:
    """The owner of what a person who has logged in paints. They are counted by their name alone: limits by
    address are for those who could call themselves anything."""
    return Owner(f"login:{username}" if username.startswith(_KINDS) else username)


def hugging_face_owner(username: str) -> Owner:
    """The owner of what a person paints who has signed in with Hugging Face, counted by their name alone."""
    return Owner(f"huggingface:{username}")


def visitor_owner(visitor: str, *, address: str = "") -> Owner:
    """The owner of what an anonymous browser paints, by its verified id."""
    return Owner(f"visitor:{visitor}", address=address)


def program_owner(session: str, *, address: str) -> Owner:
    """The owner of what an anonymous program paints: its session at its address, as it may claim any session."""
    return Owner(f"api:{address}:{session}", address=address)


def address_of(owner: str) -> str:
    """The address by which an owner's requests are counted; empty if they are not."""
    return owner.address if isinstance(owner, Owner) else ""


def counted_address(host: str) -> str:
    """An address as limits count it: of IPv6, the network of 64 bits that one customer has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
