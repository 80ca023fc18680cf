//! Reading the chain: who the solver is, and how much an address holds.
//!
//! Nothing is signed or sent here. A client with a solver URL never comes here at all: [`Chain::connect`] is the first thing that opens
//! a connection.

mod amount;
mod connect;
mod contracts;
mod http;
mod ws;

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::client::RpcClient;
use alloy::sol_types::SolCall;
use serde_json::json;
use url::Url;

pub use amount::{Lp, Wei};
use contracts::{Controller, Payments, Token, Users};

use crate::error::{Error, ErrorKind, Result};
use crate::network::{Contracts, Network, RpcUrl, parse_solver_url};

/// How long one RPC URL may take to answer, the connection included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Code of the error that says that the contract itself refused.
const REVERTED: i64 = 3;

/// What an address holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balances {
    /// The chain's own coin, which pays for transactions.
    pub gas: Wei,
    /// LP, which pays for jobs.
    pub lp: Lp,
}

/// A connection to a network's chain, for looking things up.
pub struct Chain {
    /// Speaks JSON-RPC.
    client: RpcClient,
    /// Where it speaks to.
    url: RpcUrl,
    /// Where the contracts are, as far as the network says.
    contracts: Contracts,
    /// How long an answer may take.
    patience: Duration,
}

impl Chain {
    /// Connects to the first of the network's RPC URLs that answers and is of the network's chain.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with what each URL's trouble was, if none will do.
    pub async fn connect(network: &Network) -> Result<Self> {
        Self::connect_within(network, PATIENCE).await
    }

    /// [`Self::connect`] with another patience for each answer.
    async fn connect_within(network: &Network, patience: Duration) -> Result<Self> {
        let (client, url) = connect::first_answering(&network.rpc_urls, network.chain_id, patience).await?;
        Ok(Self { client, url, contracts: network.contracts.clone(), patience })
    }

    /// Base of the API of `solver`, as it registered itself.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] if there is no such solver, if it has no usable URL, or if the chain does not answer.
    pub async fn solver_url(&self, solver: Address) -> Result<Url> {
        const OPERATION: &str = "look up solver";
        let users = self.users(OPERATION).await?;
        let user = self.call(OPERATION, users, Users::getUserCall { userAddress: solver }).await?;
        let refuse = |why: String| {
            Error::new(ErrorKind::Chain, OPERATION)
                .with_message(why)
                .with_help("give the solver's URL itself, with LILYPAD_SOLVER_URL or the option `solver_url`")
        };
        if user.userAddress.is_zero() {
            return Err(refuse(format!("{solver} is not registered on this chain (users contract {users})")));
        }
        if user.url.trim().is_empty() {
            return Err(refuse(format!("{solver} is registered without a URL")));
        }
        parse_solver_url(&user.url).map_err(|flaw| refuse(format!("{solver} is registered with a URL that {flaw}")))
    }

    /// All registered solvers.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] if the chain does not answer.
    pub async fn solvers(&self) -> Result<Vec<Address>> {
        const OPERATION: &str = "list solvers";
        let users = self.users(OPERATION).await?;
        self.call(OPERATION, users, Users::showUsersInListCall { serviceType: contracts::SOLVER }).await
    }

    /// What `address` holds.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] if the chain does not answer.
    pub async fn balances(&self, address: Address) -> Result<Balances> {
        const OPERATION: &str = "read balances";
        let lp = async {
            let token = self.token(OPERATION).await?;
            self.call(OPERATION, token, Token::balanceOfCall { account: address }).await
        };
        let gas = self.request::<U256>(OPERATION, "eth_getBalance", json!([address, "latest"]));
        let (gas, lp) = tokio::try_join!(gas, lp)?;
        Ok(Balances { gas: Wei(gas), lp: Lp(lp) })
    }

    /// The registry of solvers.
    async fn users(&self, operation: &'static str) -> Result<Address> {
        match self.contracts.users {
            Some(users) => Ok(users),
            None => self.call(operation, self.controller(operation)?, Controller::getUsersAddressCall {}).await,
        }
    }

    /// The LP token.
    async fn token(&self, operation: &'static str) -> Result<Address> {
        if let Some(token) = self.contracts.token {
            return Ok(token);
        }
        let payments = match self.contracts.payments {
            Some(payments) => payments,
            None => self.call(operation, self.controller(operation)?, Controller::getPaymentsAddressCall {}).await?,
        };
        self.call(operation, payments, Payments::getTokenAddressCall {}).await
    }

    /// The contract that knows the others.
    fn controller(&self, operation: &'static str) -> Result<Address> {
        self.contracts.controller.ok_or_else(|| {
            Error::new(ErrorKind::Config, operation)
                .with_message("the network names neither this contract nor the controller, which knows it")
                .with_help("give the network the address of its controller contract")
        })
    }

    /// Calls a contract without changing anything.
    async fn call<C: SolCall>(&self, operation: &'static str, contract: Address, call: C) -> Result<C::Return> {
        let transaction = json!({ "to": contract, "data": Bytes::from(call.abi_encode()) });
        let answer: Bytes = self.request(operation, "eth_call", json!([transaction, "latest"])).await?;
        // A call to an address without code succeeds, with nothing as its result.
        if answer.is_empty() {
            return Err(self
                .trouble(operation, &format!("there is no contract at {contract}, asked for {}", C::SIGNATURE))
                .permanent());
        }
        C::abi_decode_returns(&answer).map_err(|_| {
            self.trouble(
                operation,
                &format!("the contract at {contract} does not answer {} as it should", C::SIGNATURE),
            )
            .permanent()
        })
    }

    /// Asks the chain.
    async fn request<T>(
        &self,
        operation: &'static str,
        method: &'static str,
        parameters: serde_json::Value,
    ) -> Result<T>
    where
        T: alloy::rpc::json_rpc::RpcRecv,
    {
        match tokio::time::timeout(self.patience, self.client.request::<_, T>(method, parameters)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let trouble = self.trouble(operation, &connect::reason(&error, &self.url));
                let reverted = error.as_error_resp().is_some_and(|answer| answer.code == REVERTED);
                Err(if reverted { trouble.permanent() } else { trouble })
            }
            Err(_) => Err(self.trouble(operation, &connect::no_answer(self.patience))),
        }
    }

    /// An error of the connection. `why` is free of keys.
    fn trouble(&self, operation: &'static str, why: &str) -> Error {
        Error::new(ErrorKind::Chain, operation).with_message(format_args!("{}: {why}", self.url)).retryable()
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("url", &self.url).field("contracts", &self.contracts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod rpc_server;
#[cfg(test)]
mod tests;
