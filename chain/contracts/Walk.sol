// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Walk
/// @notice Proves leaves of a rewards tree: any set at once, or one.
library Walk {
    /// @notice The lists and `steps` do not describe one tree.
    error BadRun();

    /// @notice The root that a post-order walk leads to.  Each byte of `steps` pushes a node, the next of `proof`
    /// where bit 7 is set, else the next leaf; its low 7 bits say how often the two nodes on top are then
    /// joined.  Sound for any tree: a leaf is hashed here, twice and from 96 bytes, an inner node from 64, so
    /// neither passes for the other.  In assembly because it is what an account costs beside its payment.
    function rootOf(
        address token,
        address[] calldata accounts,
        uint256[] calldata claimables,
        bytes32[] calldata proof,
        bytes calldata steps
    ) internal pure returns (bytes32 root) {
        if (accounts.length == 0 || accounts.length != claimables.length) revert BadRun();
        bytes4 badRun = BadRun.selector;
        assembly ("memory-safe") {
            function require_(ok, selector) {
                if iszero(ok) {
                    mstore(0, selector)
                    revert(0, 4)
                }
            }
            let leaf := mload(0x40) // abi.encode(account, token, claimable)
            mstore(add(leaf, 0x20), token)
            let bottom := add(leaf, 0x60)
            let top := bottom // of the stack, where the next node goes
            let account := accounts.offset
            let claimable := claimables.offset
            let hash := proof.offset
            let accountsEnd := add(account, shl(5, accounts.length))
            let proofEnd := add(hash, shl(5, proof.length))
            let end := add(steps.offset, steps.length)
            for { let at := steps.offset } lt(at, end) { at := add(at, 1) } {
                let step := byte(0, calldataload(at))
                let node
                switch shr(7, step)
                case 0 {
                    require_(lt(account, accountsEnd), badRun)
                    mstore(leaf, calldataload(account))
                    mstore(add(leaf, 0x40), calldataload(claimable))
                    mstore(0, keccak256(leaf, 0x60))
                    node := keccak256(0, 0x20)
                    account := add(account, 0x20)
                    claimable := add(claimable, 0x20)
                }
                default {
                    require_(lt(hash, proofEnd), badRun)
                    node := calldataload(hash)
                    hash := add(hash, 0x20)
                }
                for { let joins := and(step, 0x7f) } joins { joins := sub(joins, 1) } {
                    require_(gt(top, bottom), badRun)
                    top := sub(top, 0x20)
                    let other := mload(top)
                    let place := shl(5, gt(node, other)) // the smaller one first
                    mstore(place, node)
                    mstore(xor(place, 0x20), other)
                    node := keccak256(0, 0x40)
                }
                mstore(top, node)
                top := add(top, 0x20)
            }
            require_(eq(top, add(bottom, 0x20)), badRun)
            require_(eq(account, accountsEnd), badRun)
            require_(eq(hash, proofEnd), badRun)
            root := mload(bottom)
        }
    }

    /// @notice The root that the usual proof of one leaf leads to.
    function rootAbove(bytes32 leaf, bytes32[] calldata proof) internal pure returns (bytes32 root) {
        root = leaf;
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, proof.length))
            for { let at := proof.offset } lt(at, end) { at := add(at, 0x20) } {
                let other := calldataload(at)
                let place := shl(5, gt(root, other)) // the smaller one first
                mstore(place, root)
                mstore(xor(place, 0x20), other)
                root := keccak256(0, 0x40)
            }
        }
    }
}
