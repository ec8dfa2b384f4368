"""The templates that Drain3 finds in the sample, at the default similarity threshold and a higher one.

python3 drain3-sample.py        needs `pip install drain3`
"""
import pathlib

from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig

sample = pathlib.Path(__file__).parent.parent / "samples" / "upcommerce.log"
for threshold in (0.4, 0.7):
    config = TemplateMinerConfig()
    config.drain_sim_th = threshold
    miner = TemplateMiner(config=config)
    for line in sample.read_text().splitlines():
        miner.add_log_message(line)
    print(f"similarity {threshold}")
    for cluster in sorted(miner.drain.clusters, key=lambda cluster: -cluster.size):
        print(f"{cluster.size:4} {cluster.get_template()}")
