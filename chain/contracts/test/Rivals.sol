// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @notice What paying many costs with neither a proof nor a memory of what was paid.
contract BulkSender {
    using SafeERC20 for IERC20;

    function send(IERC20 token, address[] calldata accounts, uint256[] calldata amounts) external {
        for (uint256 i = 0; i < accounts.length; ++i) {
            token.safeTransferFrom(msg.sender, accounts[i], amounts[i]);
        }
    }
}

/// @notice A claim as in the Universal Rewards Distributor: a root and what each account was paid; no totals, no
/// solvency, no guard, no batches.
contract UrdStyle {
    using SafeERC20 for IERC20;

    event Claimed(address indexed account, address indexed reward, uint256 amount);

    bytes32 public root;
    mapping(address account => mapping(address reward => uint256)) public claimed;

    function setRoot(bytes32 root_) external {
        root = root_;
    }

    function claim(address account, address reward, uint256 claimable, bytes32[] calldata proof)
        external
        returns (uint256 amount)
    {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, reward, claimable))));
        require(root != 0 && MerkleProof.verifyCalldata(proof, root, leaf), "proof");
        amount = claimable - claimed[account][reward];
        require(amount != 0, "nothing");
        claimed[account][reward] = claimable;
        IERC20(reward).safeTransfer(account, amount);
        emit Claimed(account, reward, amount);
    }
}
