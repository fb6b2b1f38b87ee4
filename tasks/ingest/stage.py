"""The whole stage: sources in, data/raw and the metrics of its report out."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from facenet.errors import DataInvalid, SourceInvalid
from facenet.evaluation.pairs import Pair, PhotoName
from tasks import expectations
from tasks.ingest.advice import no_usable_photo, warn_of_useless_sources
from tasks.ingest.attributes import attribute_counts, attributes_table
from tasks.ingest.decided import Decided, apply_decisions
from tasks.ingest.decision_file import open_decisions
from tasks.ingest.enough import Needs, check_people
from tasks.ingest.metrics import metrics
from tasks.ingest.output import MANIFEST, Output, write_manifest, write_output
from tasks.ingest.protocol import (
    Row,
    check_different,
    distinct,
    draw_pairs,
    pair_rows,
    pairs_table,
    photo_names,
    remembered,
    undecided,
)
from tasks.ingest.records import Record, folded, manifest_table
from tasks.ingest.roles import decide_roles
from tasks.ingest.scan import limits, scan
from tasks.ingest.sources import Opened, Opening, open_source, source_names
from tasks.ingest.sources.opened import THRESHOLD_FOLD, scored_people
from tasks.ingest.spellings import unite_spellings
from tasks.ingest.spool import Spool
from tasks.ingest.verdict_cache import VerdictCache
from tasks.labels.decision import Decision
from tasks.labels.forgotten import Forgotten
from tasks.params.ingest import IngestParams
from tasks.paths import DOWNLOADS
from tasks.reports import Meter
from tasks.shards import shard_count
from tasks.workers.team import worker_count

Named = Sequence[tuple[str, Opened]]
Given = Sequence[tuple[Sequence[Pair], Mapping[PhotoName, Record]]]


def run(
    params: IngestParams,
    *,
    seed: int,
    raw: Path,
    downloads: Path = DOWNLOADS,
    cache: Path | None = None,
    workers: int | None = None,
    needs: Needs | None = None,
    forgotten: Forgotten = Forgotten(),  # noqa: B008  # frozen
) -> dict[str, Any]:
    """Write photos, manifest, pairs and attributes to `raw`, and return the metrics to report.

    The files depend only on the photos, the decisions, `params`, `seed` and what is `forgotten`: not on the
    number of `workers` (processes; by default FACENET_WORKERS or the number of processors), on the former
    content of `raw`, or on `cache` (by default the folder "cache" next to `raw`), which only saves decoding.

    Raises:
        DownloadFailed, PairsFileInvalid, SourceInvalid: a source was not found or cannot be read, or no photo
            is usable.
        DataInvalid: the manifest or the pairs break a rule of tasks/expectations, the decisions do not fit
            the photos, or there are too few people for `needs`, which are not checked if None.
    """
    with Meter() as meter, Spool(raw.parent) as spool:
        expectations.prepare()
        opened, decisions = _open(params, downloads), open_decisions(params, downloads)
        verdicts = VerdictCache((cache or raw.parent / "cache") / "ingest", limits(params))
        records, counts = scan(
            opened, params, spool, verdicts, workers or worker_count(), refused=forgotten.digests
        )
        given, left_out, decided = _decide(opened, records, decisions, forgotten, params, raw)
        spellings = unite_spellings(records, params.same_name)
        roles = decide_roles(
            records,
            _scored(opened, given),
            held_out=params.held_out_identities,
            seed=seed,
            allow_overlap=params.allow_identity_overlap,
        )
        kept = {record.image_id: record for record in records if record.kept and record.image_id}
        if not kept:
            write_manifest(raw, manifest_table(records, 1))
            raise SourceInvalid(f"{no_usable_photo(records)} {raw / MANIFEST} lists all files.")
        warn_of_useless_sources(records)
        drawn, rows = _pairs(given, records, kept, params, seed)
        pairs = distinct(rows)
        if needs is not None:
            check_people(records, not given, pairs, needs)
        shards = shard_count(sum(map(spool.size, kept)))
        names = {name: source.attributes for name, source in opened}
        attributes = attributes_table(records, names, kept)
        output = Output(manifest_table(records, shards), pairs_table(pairs), attributes, drawn, shards)
        _validate(output, params.allow_identity_overlap)
        write_output(raw, output, kept, spool)
        verdicts.write(spool)
    repeated = len(rows) - len(pairs)
    report = metrics(records, pairs, roles, meter, spellings=spellings, repeated=repeated)
    effects = {"rows": decided.rows, "photos": decided.photos, "pairs_left_out": left_out}
    return report | {"decisions": effects} | attribute_counts(records, names) | counts


def _open(params: IngestParams, downloads: Path) -> Named:
    opening = Opening(downloads, params.allow_identity_overlap)
    sources = [open_source(source, opening) for source in params.sources]
    return list(zip(source_names(params.sources), sources, strict=True))


def _decide(
    opened: Named,
    records: Sequence[Record],
    decisions: Sequence[Decision],
    forgotten: Forgotten,
    params: IngestParams,
    raw: Path,
) -> tuple[Given, int, Decided]:
    """Apply the decisions; return the given pairs that remain, how many decisions removed, and the effects.

    Pairs name photos by their folders, so they are resolved before the decisions.
    """
    given = _given_pairs(opened, records, forgotten)
    try:
        decided = apply_decisions(records, decisions, params)
    except DataInvalid as error:
        write_manifest(raw, manifest_table(records, 1))  # to look up the photos in
        raise DataInvalid(f"{error}\n{raw / MANIFEST} lists all photos, without decisions.") from error
    left = [(undecided(pairs, names, decided), names) for pairs, names in given]
    return left, sum(len(pairs) for pairs, _ in given) - sum(len(pairs) for pairs, _ in left), decided


def _scored(opened: Named, given: Given) -> set[str]:
    """Return the folded names of the people in scored pairs: as the pairs name them, and as decisions do."""
    named = set[str]().union(*(scored_people(source.pairs) for _, source in opened))
    return named | {
        folded(names[name].identity or "")
        for pairs, names in given
        for pair in pairs
        if pair.fold != THRESHOLD_FOLD
        for name in (pair.left, pair.right)
        if name in names
    }


def _given_pairs(opened: Named, records: Sequence[Record], forgotten: Forgotten) -> Given:
    """Return the pairs of each source that brings some, and its photos by their names in the source.

    Pairs of forgotten people and photos are left out.
    """
    found = [
        (source.pairs, photo_names(record for record in records if record.source == name))
        for name, source in opened
        if source.pairs
    ]
    return [(remembered(pairs, names, forgotten), names) for pairs, names in found]


def _pairs(
    given: Given, records: Sequence[Record], kept: Collection[str], params: IngestParams, seed: int
) -> tuple[list[Pair], list[Row]]:
    """Return the generated pairs (none if a source brings its own), and the rows of all pairs."""
    for pairs, names in given:
        check_different(pairs, names)
    if given:
        return [], [row for pairs, names in given for row in pair_rows(pairs, names, kept)]
    names = photo_names(record for record in records if record.role == "evaluate")
    drawn = draw_pairs(names, params, seed)
    return drawn, pair_rows(drawn, names, kept)


def _validate(output: Output, allow_overlap: bool) -> None:
    pairs = output.pairs.to_pandas() if output.pairs.num_rows else None
    expectations.validate_manifest(
        output.manifest.to_pandas(), pairs=pairs, allow_identity_overlap=allow_overlap
    )
