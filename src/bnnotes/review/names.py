"""What names say: of arguments, of what a cache holds, of results, of a forward pass beside."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import re
import textwrap

# Names.

# What each quantity is called, without underscores and capitals.
NAMES = """
delta        delta δ dout dy gradoutput gradoutputs gradout grady gy dldy dcdy dedy dldout upstream
delta        upstreamgradient upstreamgrad outgrad outgrads outputgrad ograd topdiff grad gradient
delta        accumgrad gradients deltanext deltal1 deltaout dloutput dzhat dnext dld error doutput
delta        dyout dlossdoutput dlossdy gout eta dyhat douts dhpreact nextgrad gradin dvalues
x            x input inputs inp xin data preactivation features xs bottom xinput feature
u_prev       uprev u x input inputs inp aprev hprev prev previous uprevious prevoutput activations
x_hat        xhat xh x̂ xnorm xnormed xnormalized xnormalised normalizedx normalisedx norm normx xn
x_hat        zhat bnraw znorm hatx xtilde normed normalized normalised xhatnorm standardized xstd
x_hat        xbn
mean         meanx bnmean xbar mean mu μ mub batchmean samplemean xmean savemean savedmean avg
mean         mubatch bmean bnmeani average
std          std sqrtvareps stdeps varsqrt rootvar xstddev sdx stdx stddev stdev sd sqrtvar
std          sqrtvariance batchstd samplestd denom denominator xstd
sigma        sigma sig σ sigmab batchsigma
var          var variance sigma2 sigmasq sigmasquared σ2 batchvar samplevar xvar varb savevar
var          sigmasquare bnvar xvariance varx savedvar batchvariance sigma2b
inv_std      invstd ivar invvar istd rstd invsigma stdinv invsqrtvar saveinvstd invstddev rsigma
inv_std      invsqrtvareps invsqrt rsqrtvar invstdev rsqrtvareps oneoverstd stdinverse sigmainv
inv_std      rrms invrms rmsinv rmsrecip
std          rms rootmeansquare
var          ms meansquare meansq msq meansquared
inv_std      inverse invs inv stddevinv varinv bnvarinv saveinvvar rsqrt
var_eps      vareps varpluseps varianceeps
centered     xmu xc xcentered centered xminusmean xminusmu centeredx xzeromean xmean0 xcenter bndiff
centered     xmeaned xm deviation diff
W            w weight weights wl kernel matrix wnext
gamma        gamma γ scale gain scaler gammas weight weights bngain bw
beta         beta β shift offset intercept bias betas b bnbias bb
eps          eps epsilon ε ep epsi
y            y output out
M_B          mb batchsize nsamples numsamples batch count
b            b bias
g_prime      gprime dg gp dact actprime activationderivative gderivative derivative gprimeprev
g_prime      fprime phiprime dgdy gprimey mask dactivation
running_mean runningmean movingmean runmean rmean meanrunning globalmean
running_var  runningvar movingvar runningvariance runvar movingvariance rvar varrunning globalvar
gamma_prev   gammaprev
std_prev     stdprev
x_hat_prev   xhatprev
y_prev       yprev
dgamma       dgamma sumdyxhat
dbeta        dbeta sumdy sumdelta
sum_delta_centered sumdyxmu
mean_delta   meandy
mean_delta_centered meandyxmu
cache        cache ctx context memory saved stash tape state residuals stored intermediate
self         self
bn_param     bnparam bnparams lnparam gnparam normparam params param config
bn_param     cfg conf options opts hparams
groups       groups numgroups ngroups
training     training train istraining istrain trainflag
mode         mode
momentum     momentum decay
rate         lr learningrate
n            numfeatures nfeatures features dim size inputsize nin nout channels numchannels
n            infeature infeatures numfeature inputfeatures nneurons numneurons nchannels
n            inputdim featuresize units hidden neurons width inchannels outchannels ndim
shape        shape inputshape normalizedshape normshape paramshape
optimizer    optimizer optim opt
"""

# Names of one letter and the like say little: what they may be, the likeliest first.
WEAK = {
    "d": "delta n",
    "c": "n gamma",
    "g": "delta gamma groups",
    "e": "delta",
    "err": "delta",
    "dz": "delta",
    "da": "delta",
    "dh": "delta",
    "dl": "delta",
    "derror": "delta",
    "a": "x u_prev gamma",
    "h": "x x_hat",
    "z": "x x_hat",
    "s": "std x sigma var inv_std",
    "v": "var x var_eps std",
    "m": "mean M_B",
    "n": "M_B n",
    "num": "M_B",
    "w": "gamma",
    "alpha": "gamma",
    "k": "gamma",
    "t": "x_hat",
    "r": "inv_std std",
}


# What a name may hold besides what it says.
ALSO = {
    "x_hat": ("centered",),
    "sigma": ("std", "var", "var_eps"),
    "std": ("sigma",),
    "var": ("var_eps", "inv_std"),
    "inv_std": ("inv_var",),
    "mean": ("centered",),
    "centered": ("x_hat",),
}


SETTINGS = {
    "training": True,
    "mode": "train",
    "momentum": 0.9,
    "rate": 0.0,
    "groups": 2,
    "unused": None,
}


ANY = (
    *("gamma", "x_hat", "std", "x", "inv_std", "centered", "var", "mean", "sigma", "beta"),
    *("var_eps", "eps", "y", "M_B"),
)


SAYS = {
    "delta": "Δ = ∂C/∂y",
    "x_hat": "x̂",
    "mean": "μ",
    "std": "ς = sqrt(σ² + ε)",
    "sigma": "σ",
    "var": "σ²",
    "var_eps": "σ² + ε",
    "inv_std": "1/ς",
    "inv_var": "1/ς²",
    "centered": "x − μ",
    "gamma": "γ",
    "beta": "β",
    "eps": "ε",
    "dgamma": "ΣΔ x̂",
    "dbeta": "ΣΔ",
    "sum_delta_centered": "ΣΔ(x − μ)",
    "mean_delta": "⟨Δ⟩",
    "mean_delta_centered": "⟨Δ(x − μ)⟩",
    "u_prev": "u of the layer before",
    "g_prime": "g'(y) of the layer below",
    "running_mean": "the running mean",
    "running_var": "the running variance",
}


def _table():
    table = {}
    for line in NAMES.strip().splitlines():
        role, *names = line.split()
        for name in names:
            table.setdefault(name, []).append(role)
    return table


_TABLE = _table()


def squash(name):
    """Return a name without underscores and capitals; the hat of x̂ is spelled."""
    return re.sub(r"[_\W]", "", name.casefold().replace("\u0302", "hat")) or name.casefold()


def _tokens(name):
    return [t for t in re.split(r"_|(?<=[a-z0-9])(?=[A-Z])|\W", name) if t]


def meanings(name, offered):
    """Return what an argument of this name may be, of what is offered, the likeliest first."""
    short = squash(name)
    known = _TABLE.get(short, ()), WEAK.get(short, "").split()
    known = known if any(known) else [_by_parts(name)]
    found = next(filter(None, ([r for r in roles if r in offered] for roles in known)), [])
    for role in tuple(found):
        found += [also for also in ALSO.get(role, ()) if also in offered and also not in found]
    return found


def told_otherwise(name, role):
    """Return what a name says, where that is no other word for what it was taken for; or ""."""
    short = squash(name)
    said = _TABLE.get(short, ()) or _by_parts(name)
    alike = {"std", "sigma"}, {"var", "var_eps"}
    same = role in said or any({role, *said[:1]} == pair for pair in alike)
    return "" if same or short in WEAK else next((r for r in said if r in OFFERED), "")


def may_be_gamma(name):
    """Say whether a name says nothing else."""
    return squash(name) in WEAK or not meanings(name, OFFERED)


def _by_parts(name):
    """Return what the parts of a longer name say."""
    parts = [part.casefold() for part in _tokens(name)]
    text = squash(name)
    running = any(p.startswith(("running", "moving", "global", "ema")) for p in parts)
    inverse = any(p.startswith(("rsqrt", "recip")) or "inv" in p for p in parts)
    if any(p.startswith(("grad", "upstream", "accum", "err")) for p in parts) or text.startswith(
        ("dout", "dl", "grad", "delta", "d_")
    ):
        return ["delta"]
    if "cache" in text or "saved" in parts:
        rest = text.removeprefix("saved").removeprefix("cached").removeprefix("cache")
        return _TABLE.get(rest, ["cache"])
    if any(p.startswith(("std", "stdev", "sigma", "sqrt", "rms")) for p in parts):
        return ["inv_std"] if inverse else ["std"]
    if any(p.startswith("var") for p in parts):
        return ["running_var"] if running else ["inv_std" if inverse else "var"]
    if any(p.startswith(("norm", "hat", "standard")) for p in parts):
        return ["delta" if parts[0] == "d" else "x_hat"]
    if any(p.startswith(("center", "minus", "demean", "shifted")) for p in parts):
        return ["centered"]
    if any(p in ("mean", "mu", "avg") for p in parts):
        return ["running_mean"] if running else ["mean"]
    for word, role in (("gamma", "gamma"), ("beta", "beta"), ("eps", "eps"), ("train", "training")):
        if word in text:
            return [role]
    if parts and parts[0] in ("x", "input"):
        return ["x"]
    return []


GRADIENT = set("d ld grad grads gradient gradients diff deriv derivative delta".split())
_BASE = {"x": "dx", "gamma": "dgamma", "beta": "dbeta", "W": "dW", "b": "db", "u_prev": "below"}


def quantity(name, wanted):
    """Return which of the wanted quantities a result's name says, or None."""
    if squash(name) in ("uprev", "previouserror", "deltaprev", "prevdelta", "dprev", "preverror"):
        return "below" if "below" in wanted else None
    parts = [part.casefold() for part in _tokens(name)]
    marked = [p for p in parts if p in GRADIENT]
    rest = "".join(p for p in parts if p not in GRADIENT)
    for prefix in ("dloss", "dldl", "dcd", "dld", "dl", "grad", "d", "∂"):
        if not marked and rest.startswith(prefix) and rest != prefix:
            marked, rest = [prefix], rest.removeprefix(prefix)
    if "y" in wanted and not marked and rest in ("y", "out", "output", "result"):
        return "y"
    if not marked:
        plain = {b: q for b, q in _BASE.items() if b not in ("x", "W", "b") and q in wanted}
        return plain.get(rest)
    for base, found in _BASE.items():
        known = [*_TABLE.get(rest, ()), *(["gamma"] if rest in ("g", "w") else [])]
        if found in wanted and (rest == base.casefold() or base in known):
            return found
    # In a container of gradients, under a name of its own there.
    last = quantity(parts[-1], wanted) if marked and len(parts) > 1 else None
    return last if last in ("dgamma", "dbeta") else None


def parameters(f):
    """Return the parameters of f by name, without ``*args`` and ``**kwargs``; None if unknown."""
    try:
        signature = inspect.signature(f)
    except Exception:
        return None
    every = signature.parameters.values()
    named = {p.name: p for p in every if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    return named or (None if every else {})


def _nodes(f):
    """Return the syntax nodes of a function; none where its source is not there."""
    code = getattr(inspect.unwrap(f), "__code__", None) if callable(f) else None
    return _parsed(code) if inspect.iscode(code) else ()


@functools.lru_cache(maxsize=512)
def _parsed(code):
    # inspect.getsource looks through all modules, which takes longer than a review.
    try:
        lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
        return tuple(ast.walk(ast.parse(textwrap.dedent("".join(inspect.getblock(lines))))))
    except Exception:
        return ()


def returned_names(f):
    """Return the names in the last ``return a, b, c`` of f; an empty tuple if there are none."""
    names = ()
    for node in _nodes(f):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            names = tuple(_leaves(node.value))
    return names


def _leaves(node):
    if isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from _leaves(each)
    else:
        yield getattr(node, "id", getattr(node, "attr", ""))


def entries(f, argument):
    """Return the names that f gives to what is in its cache: by place, and by key or attribute."""
    places, keys = {}, set()
    for node in _nodes(f):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(value, ast.Attribute) and _is(value.value, argument):
                value = value.value  # ctx.saved_tensors
            if isinstance(target, ast.Tuple) and _is(value, argument):
                places |= {k: getattr(t, "id", "?") for k, t in enumerate(target.elts)}
            if isinstance(target, ast.Name) and isinstance(value, ast.Subscript):
                if _is(value.value, argument) and isinstance(value.slice, ast.Constant):
                    if isinstance(value.slice.value, int):
                        places[value.slice.value] = target.id
        if isinstance(node, ast.Subscript) and _is(node.value, argument):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                keys.add(node.slice.value)
        if isinstance(node, ast.Attribute) and _is(node.value, argument):
            if isinstance(node.ctx, ast.Load):
                keys.add(node.attr)
    return places, sorted(keys - {"saved_tensors", "needs_input_grad"})


def _is(node, name):
    return isinstance(node, ast.Name) and node.id == name


OFFERED = {
    *("delta", "x", "x_hat", "mean", "std", "sigma", "var", "inv_std", "inv_var", "var_eps"),
    *("centered", "gamma", "beta", "eps", "y", "M_B", "running_mean", "running_var", "dgamma"),
    *("dbeta", "sum_delta_centered", "mean_delta", "mean_delta_centered", "cache", "self"),
    *("bn_param", "training", "mode", "momentum", "rate", "shape", "n", "optimizer", "groups"),
    "unused",
}

OF_FORWARD = OFFERED - {
    *("delta", "x_hat", "y", "centered", "inv_std", "inv_var", "dgamma", "dbeta", "mean_delta"),
    *("mean_delta_centered", "sum_delta_centered", "cache", "optimizer"),
}


SYMBOLS = {
    "dx": "∂C/∂x",
    "dgamma": "∂C/∂γ",
    "dbeta": "∂C/∂β",
    "dW": "∂C/∂W",
    "db": "∂C/∂b",
    "below": "Δ of the layer below",
    "y": "y",
    "x_hat": "x̂",
    "mean": "μ",
    "std": "ς",
    "var": "σ²",
}


def symbol(name):
    """Return how a quantity is written; ``W2`` is that of layer 2 of a network."""
    greek = {"gamma": "γ", "beta": "β", "cost": "C"}
    if name in SYMBOLS or name == "cost":
        return SYMBOLS.get(name, "C")
    return f"∂C/∂{greek.get(name[:-1], name[:-1])} of layer {name[-1]}"


def kind_of(path):
    """Return "gamma" or "beta" for a path to a parameter, else None."""
    parts = [p.casefold() for p in _tokens(path)]
    if set(parts) & (GRADIENT | {"running", "moving", "opt", "optimizer", "momentum", "m", "v"}):
        return None
    for part in reversed(parts):
        kinds = {"gamma", "beta"} & {*_TABLE.get(part, ()), *WEAK.get(part, "").split()[-1:]}
        if kinds and part not in ("k", "alpha", "c"):
            return kinds.pop()
    return None


def may_be_parameter(path):
    parts = [p.casefold() for p in _tokens(path)]
    return not re.match(
        r"d|g|run|mov|var|v$|std|s$|mean|m$|mu|sigma", parts[-2:][0] if parts else ""
    )


RUNNING = {
    kind: {name for name, roles in _TABLE.items() if kind in roles}
    for kind in ("running_mean", "running_var")
}


def attribute(f, name):
    """Return an attribute of what was handed over, or None, whatever asking for it raises."""
    try:
        return getattr(f, name, None)
    except Exception:
        return None


def name_of(f):
    """Return the name of what was handed over."""
    name = attribute(f, "__name__")
    return name if isinstance(name, str) and name else type(f).__name__


# What was handed over, and which ways there are.


def owner(f):
    """Return the class of a function that stands in one and is no free function, or None."""
    bound = getattr(f, "__self__", None)
    if bound is not None and not inspect.ismodule(bound):
        return bound
    parts = getattr(f, "__qualname__", "").split(".")
    found = getattr(f, "__globals__", {}).get(parts[0]) if len(parts) == 2 else None
    return found if isinstance(found, type) else None


_PROP = r"(_?prop(agat\w*)?|_?pass)?"
BACK = re.compile(rf"(back(_?w[ao]rds?)?|bprop|bwd|grad(ient)?s?|deriv(ative)?|_b$){_PROP}", re.I)
FORTH = re.compile(rf"((feed_?)?forw([ao]rds?)?|fprop|fwd|_f$){_PROP}", re.I)


def beside(name, space):
    """Return the name of the forward pass that goes with a backward pass, or None."""
    stem, found = squash("x" + BACK.sub("", name)), {}
    for other, value in space.items():
        if callable(value) and other != name and not BACK.search(other):
            rank = not FORTH.search(other), other
            key = squash("x" + FORTH.sub("", other))
            found[key] = min(rank, found.get(key, rank))
    # The longest that both begin with: batchnorm_backward_alt has no forward pass of its own;
    # then the longest that both end with: neither has my_batchnorm_backward.
    parts = [stem[:k] for k in range(len(stem), 0, -1)] + [
        "x" + stem[k:] for k in range(2, len(stem))
    ]
    for part in parts if BACK.search(name) else ():
        plain, other = found.get(part, (True, None))
        if other and (part == stem or (len(part) > 2 and not plain)):
            return other
    return None


def find_forward(f):
    """Return the forward pass that stands beside a backward pass, or None."""
    space = getattr(inspect.unwrap(f), "__globals__", None) if callable(f) else None
    name = getattr(f, "__name__", None)
    if not space or not isinstance(name, str):
        return None
    return space.get(beside(name, space))
