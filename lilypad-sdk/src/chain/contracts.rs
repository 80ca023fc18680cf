//! The parts of the contracts that are read.

/// Place of solvers in the contracts' list of roles.
pub(super) const SOLVER: u8 = 0;

#[allow(missing_docs, reason = "written by the macro")]
mod interfaces {
    alloy::sol! {
        interface Users {
            struct User {
                address userAddress;
                string metadataCID;
                string url;
                uint8[] roles;
            }

            function getUser(address userAddress) external view returns (User);
            function showUsersInList(uint8 serviceType) external view returns (address[]);
        }

        interface Controller {
            function getUsersAddress() external view returns (address);
            function getPaymentsAddress() external view returns (address);
        }

        interface Payments {
            function getTokenAddress() external view returns (address);
        }

        interface Token {
            function balanceOf(address account) external view returns (uint256);
        }
    }
}

pub(super) use interfaces::{Controller, Payments, Token, Users};
