//! The watches of the pods.

use futures::channel::mpsc::UnboundedSender;
use jiff::Timestamp;

use crate::cluster::PodWatchEvent;
use crate::pod::PodReport;

/// The watches that clients have opened.
#[derive(Debug, Default)]
pub(super) struct Watches {
    open: Vec<Watch>,
    /// The pods cannot be listed or watched until then.
    pub(super) down: Option<Timestamp>,
    /// The connections are silent until then.
    pub(super) stalled: Option<Timestamp>,
    /// The news of the time in which the connections were silent.
    backlog: Vec<News>,
}

#[derive(Debug)]
struct Watch {
    selector: String,
    news: UnboundedSender<PodWatchEvent>,
}

/// An event, with the selector of the pods that it is about; `None` for every watch.
type News = (Option<String>, PodWatchEvent);

impl Watches {
    pub(super) fn open(&mut self, selector: &str, news: UnboundedSender<PodWatchEvent>) {
        self.open.push(Watch { selector: selector.into(), news });
    }

    pub(super) fn close_all(&mut self) {
        self.open.clear();
        self.forget_backlog();
    }

    /// Delivers a change of a pod whose labels match `selector`.
    pub(super) fn send(&mut self, selector: &str, news: PodWatchEvent) {
        if self.down.is_some() {
            return;
        }
        let news = (Some(selector.to_owned()), news);
        if self.stalled.is_some() {
            self.backlog.push(news);
        } else {
            self.deliver(&news);
        }
    }

    /// Delivers an event about the connections.
    pub(super) fn send_to_all(&mut self, news: PodWatchEvent) {
        self.deliver(&(None, news));
    }

    /// Delivers what the connections missed while they were silent.
    pub(super) fn send_backlog(&mut self) {
        self.stalled = None;
        for news in std::mem::take(&mut self.backlog) {
            self.deliver(&news);
        }
    }

    /// Delivers a list to each watch: the `pods` that its selector matches.
    pub(super) fn send_list(&mut self, pods: &[(String, PodReport)], asked_at: Timestamp) {
        self.open.retain(|watch| {
            let matching = pods.iter().filter(|(selector, _)| *selector == watch.selector);
            let pods = matching.map(|(_, pod)| pod.clone()).collect();
            watch.news.unbounded_send(PodWatchEvent::Listed { pods, asked_at }).is_ok()
        });
    }

    /// The connections are lost, and with them what they have not delivered.
    pub(super) fn forget_backlog(&mut self) {
        self.stalled = None;
        self.backlog.clear();
    }

    fn deliver(&mut self, (selector, news): &News) {
        self.open.retain(|watch| {
            let fits = selector.as_ref().is_none_or(|selector| *selector == watch.selector);
            !fits || watch.news.unbounded_send(news.clone()).is_ok()
        });
    }
}
