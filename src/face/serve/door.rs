//! The daemon's door to the network: connections, one task each, none of which can hold it open or fill it.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
};

/// Connections at the same time: below the 1,024 files that a process may commonly open.
const CONNECTIONS_MAX: usize = 512;
/// How long a caller has for the head of a request, and how long a connection may be idle.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of a head, and of what is read ahead of a body.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long to wait where no connection can be taken, e.g. while all files are open.
const BREATH: Duration = Duration::from_millis(50);
/// How long calls under way have when the daemon ends.
const GOODBYE: Duration = Duration::from_millis(500);

/// Answers calls until told to stop.
pub(super) async fn serve(listener: TcpListener, router: Router, stopped: Arc<Notify>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let stop = stopped.notified();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // While it is crowded, nobody keeps a place that they do not need.
        let is_crowded = places.available_permits() < CONNECTIONS_MAX / 2;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.keep_alive(!is_crowded)
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .max_buf_size(HEAD_BYTES_MAX);
            // A caller that breaks off is none of our business.
            drop(http.serve_connection(TokioIo::new(stream), service).await);
            drop(place);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    // Those that are idle end with the runtime.
    drop(tokio::time::timeout(GOODBYE, places.acquire_many(all)).await);
}
