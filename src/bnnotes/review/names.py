"""Which argument of the reader's function is which quantity, by its name."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import NamedTuple

# One line per quantity: what the field calls it, without underscores and capitals. A name that
# stands in several lines goes to the first of them that is wanted and not taken.
NAMES = """
delta         delta δ dout dy gradoutput gradoutputs gradout grady gy dldy dcdy dedy dldout upstream
delta         upstreamgradient upstreamgrad outgrad outputgrad ograd topdiff grad gradient
delta         deltanext deltal1 dyhat deltaout dloutput
x             x input inputs inp xin data z preactivation
u_prev        uprev u x input inputs inp aprev hprev prev previous uprevious prevoutput activations
normalized    normalized
x_hat         xhat x̂ xnorm xnormed xnormalized xnormalised normalizedx normalisedx normx xn zhat
x_hat         znorm hatx xtilde normed normalized normalised xhatnorm
mean          meanx bnmean xbar
mean          mean mu μ mub batchmean samplemean xmean savemean savedmean avg mubatch bmean
std           sqrtvareps stdeps varsqrt rootvar xstddev sdx stdx
std           std sigma σ stddev stdev sd sqrtvar sqrtvariance batchstd samplestd xstd denom sigmab
var           var variance sigma2 sigmasq sigmasquared σ2 batchvar samplevar xvar varb savevar
var           sigmasquare bnvar xvariance varx
var           savedvar batchvariance sigma2b
inv_std       invstd ivar invvar istd rstd invsigma stdinv invsqrtvar saveinvstd invstddev rsigma
inv_std       invsqrtvareps invsqrt rsqrtvar invstdev rsqrtvareps oneoverstd
inv_std       stdinverse sigmainv invs
var_eps       vareps varpluseps varianceeps
centered      xmu xc xcentered centered xminusmean xminusmu centeredx xzeromean xmean0 xcenter
W             w weight weights wl kernel matrix wnext
gamma         gamma γ scale gain scaler gammas weight weights
beta          beta β shift offset intercept bias betas b
eps           eps epsilon ε ep epsi
y             y output out
M_B           mb batchsize nsamples numsamples batch
b             b bias
g_prime       gprime dg gp dact actprime activationderivative gderivative derivative gprimeprev
g_prime       fprime phiprime dgdy gprimey mask dactivation
running_mean  runningmean movingmean runmean
running_var   runningvar movingvar runningvariance runvar
previous_error previouserror preverror prevdelta deltaprev dprev uprev du yprev deltal dlower
gamma_prev    gammaprev
std_prev      stdprev
x_hat_prev    xhatprev
y_prev        yprev
network       network net model
layers        layers params parameters theta
Ws            ws w weights
gammas        gammas gamma
betas         betas beta
bs            bs b biases
psi           psi ψ x xs input inputs data xbatch u0
phi           phi φ t target targets label labels y ys ybatch onehot
activation    activation act
cache         cache ctx context memory saved stash tape self state residuals
bn_param      bnparam bnparams
training      training train istraining
mode          mode
momentum      momentum
"""

# Names of one letter and the like, tried when all others have found their place.
WEAK = """
delta   d g e err error dz da dh dl derror
x       a h v inputx
std     s
var     v
M_B     n m num
gamma   g w a
u_prev  a h z
"""


# Arguments that say how and not what.
SETTINGS = {"training": True, "mode": "train", "momentum": 0.9}


def _table(text):
    table = {}
    for line in text.strip().splitlines():
        role, *names = line.split()
        for name in names:
            table.setdefault(name, []).append(role)
    return table


_STRONG, _WEAK = _table(NAMES), _table(WEAK)


def squash(name):
    """Return a name without underscores and capitals."""
    return name.casefold().replace("_", "")


def match(names, roles):
    """Return which of `roles` each of `names` stands for; those without one are left out."""
    found = {}
    for table in (_STRONG, _WEAK):
        for name in names:
            free = [
                role
                for role in table.get(squash(name), ())
                if role in roles and role not in found.values()
            ]
            if name not in found and free:
                found[name] = free[0]
    return found


def match_output(name, quantities):
    """Return the quantity that a key such as ``"dx"`` or ``"grad_weight"`` names, or None."""
    short = squash(name)
    for prefix in ("", "grad", "gradient", "dldl", "dcd", "dld", "dl", "d", "∂"):
        rest = short.removeprefix(prefix)
        if short.startswith(prefix) and rest:
            for quantity in quantities:
                if rest == squash(quantity) or quantity in _STRONG.get(rest, ()):
                    return quantity
        if prefix and short.endswith(prefix) and short.removesuffix(prefix):
            found = match_output(short.removesuffix(prefix), quantities)
            if found:
                return found
    return None


class Binding(NamedTuple):
    """What each parameter of the reader's function will be given.

    Attributes
    ----------
    roles : dict of str to str
        Parameter to quantity.
    unpacked : tuple
        Quantities in the order in which the function unpacks its cache; None where unknown.
    trouble : str
        Why the function cannot be called, or "".
    """

    roles: dict
    unpacked: tuple = ()
    trouble: str = ""


def bind(f, roles):
    """Return the `Binding` of the reader's function to the quantities on offer."""
    if not callable(f):
        return Binding({}, trouble=f"got {type(f).__name__}, wanted a function")
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return Binding({}, trouble="its arguments have no names; wrap it in a function that has")
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    found = match([p.name for p in named], roles)
    unknown = [p.name for p in named if p.name not in found and p.default is p.empty]
    taken = set(found.values())
    if len(unknown) == 1 and "delta" in roles - taken:
        if squash(unknown[0]).startswith(("d", "grad", "err", "upstream")):
            found[unknown.pop()] = "delta"
    elif len(unknown) == 1 and "x" in roles - taken and not {"x_hat", "cache"} & taken and taken:
        found[unknown.pop()] = "x"
    if unknown or not found:
        got = f"the argument `{unknown[0]}`" if unknown else "no argument that it knows"
        return Binding({}, trouble=f"review met {got}; wanted some of {_offer(roles)}")
    unpacked = ()
    for name, role in found.items():
        if role == "cache":
            unpacked = _unpacking(f, name, roles)
    return Binding({p.name: found[p.name] for p in named if p.name in found}, unpacked)


def _offer(roles):
    hidden = {"running_mean", "running_var", "bn_param", "var_eps", "sigma", *SETTINGS}
    listed = dict.fromkeys(line.split()[0] for line in NAMES.strip().splitlines())
    return ", ".join(role for role in listed if role in roles - hidden)


def _unpacking(f, cache, roles):
    """Read in the source of f in which order it unpacks its cache: ``x_hat, std = cache``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(f)))
    except (OSError, TypeError, SyntaxError):
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            value = node.value
            if isinstance(value, ast.Attribute):  # ctx.saved_tensors
                value = value.value
            if isinstance(value, ast.Name) and value.id == cache:
                names = [getattr(target, "id", "") for target in node.targets[0].elts]
                found = match(names, roles - {"cache"})
                return tuple(found.get(name) for name in names)
    return ()
