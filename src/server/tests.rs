use super::*;

fn in_memory(listen: SocketAddr) -> Config {
    Config {
        listen,
        data: Data::Memory,
        ..Config::default()
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn port_zero_takes_a_free_port_and_tells_it() {
    let server = Server::bind(in_memory(any_port()))
        .await
        .expect("a free port");
    assert_ne!(server.local_addr().port(), 0);
}

#[tokio::test]
async fn a_taken_address_is_named_with_the_way_out() {
    let first = Server::bind(in_memory(any_port()))
        .await
        .expect("a free port");
    let address = first.local_addr();
    let Err(refused) = Server::bind(in_memory(address)).await else {
        panic!("the address is taken");
    };
    assert!(matches!(refused, Error::AddressInUse(taken) if taken == address));
    let text = refused.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("--listen"));
}
